package main

import (
	"bytes"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

func names(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, entry := range entries {
		all = append(all, entry.Name())
	}
	return all
}

func content(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestSwapShowsTheNewContentAndRemovesTheOld(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "..one", "kept"), "1")
	write(t, filepath.Join(dir, "..one", "dropped"), "1")
	write(t, filepath.Join(dir, "..one", "deep", "file"), "1")
	if err := swap(dir, "..one"); err != nil {
		t.Fatal(err)
	}
	if got := content(t, filepath.Join(dir, "deep", "file")); got != "1" {
		t.Fatalf("deep/file = %q", got)
	}

	write(t, filepath.Join(dir, "mine"), "not a link")
	write(t, filepath.Join(dir, "..two", "kept"), "2")
	write(t, filepath.Join(dir, "..two", "added"), "2")
	for range 2 { // the second time must change nothing, and above all not remove ..two
		if err := swap(dir, "..two"); err != nil {
			t.Fatal(err)
		}
		want := []string{"..data", "..two", "added", "kept", "mine"}
		if got := names(t, dir); !slices.Equal(got, want) {
			t.Fatalf("entries = %v, want %v", got, want)
		}
		if got := content(t, filepath.Join(dir, "kept")); got != "2" {
			t.Fatalf("kept = %q", got)
		}
	}
	if got, _ := os.Readlink(filepath.Join(dir, "kept")); got != "..data/kept" {
		t.Fatalf("kept points to %q", got)
	}
	if got, _ := os.Readlink(filepath.Join(dir, "..data")); got != "..two" {
		t.Fatalf("..data points to %q", got)
	}
}

func TestSwapOutlivesALeftOverLinkAndAStrangeOne(t *testing.T) {
	outside := t.TempDir()
	write(t, filepath.Join(outside, "precious"), "x")
	dir := t.TempDir()
	write(t, filepath.Join(dir, "..one", "a"), "1")
	for name, target := range map[string]string{"..data_tmp": "..gone", "..data": outside} {
		if err := os.Symlink(target, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	if err := swap(dir, "..one"); err != nil {
		t.Fatal(err)
	}
	if got := content(t, filepath.Join(dir, "a")); got != "1" {
		t.Fatalf("a = %q", got)
	}
	if got := content(t, filepath.Join(outside, "precious")); got != "x" {
		t.Fatalf("precious = %q", got)
	}
}

func TestSwapRefusesOtherNames(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "plain", "a"), "1")
	write(t, filepath.Join(dir, "..file"), "1")
	for _, name := range []string{"", "..", "plain", "../plain", "..a/b", "..data", "..data_tmp", "..missing", "..file"} {
		if swap(dir, name) == nil {
			t.Errorf("%q was taken", name)
		}
	}
	if got, want := names(t, dir), []string{"..file", "plain"}; !slices.Equal(got, want) {
		t.Fatalf("entries = %v, want %v", got, want)
	}
}

type closeable struct{ bytes.Buffer }

func (*closeable) Close() error { return nil }

// serve handles one connection on loopback and returns its port.
func serve(t *testing.T, address string, handle func(*net.TCPConn)) string {
	t.Helper()
	listener, err := net.Listen("tcp", address)
	if err != nil {
		t.Skip(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		handle(conn.(*net.TCPConn))
	}()
	return strconv.Itoa(listener.Addr().(*net.TCPAddr).Port)
}

func TestDialPassesEachDirectionsEnd(t *testing.T) {
	for _, address := range []string{"127.0.0.1:0", "[::1]:0"} {
		port := serve(t, address, func(conn *net.TCPConn) {
			// Answers only once the client has ended its half.
			said, _ := io.ReadAll(conn)
			_, _ = conn.Write([]byte("you said " + string(said)))
		})
		var out closeable
		if err := run([]string{"dial", port}, strings.NewReader("hello"), &out); err != nil {
			t.Fatal(err)
		}
		if out.String() != "you said hello" {
			t.Fatalf("got %q", out.String())
		}
	}
}

func TestDialEndsWhenTheServerIsGoneAndTheClientSilent(t *testing.T) {
	port := serve(t, "127.0.0.1:0", func(conn *net.TCPConn) { _, _ = conn.Write([]byte("bye")) })
	silent, hold := io.Pipe()
	defer hold.Close()
	var out closeable
	ended := make(chan error, 1)
	go func() { ended <- dial(port, nil, silent, &out) }()
	select {
	case err := <-ended:
		if err != nil || out.String() != "bye" {
			t.Fatalf("err %v, out %q", err, out.String())
		}
	case <-time.After(10 * time.Second):
		t.Fatal("still there")
	}
}

func TestReachSaysWhetherSomebodyListens(t *testing.T) {
	port := serve(t, "127.0.0.1:0", func(*net.TCPConn) {})
	var out closeable
	if err := run([]string{"reach", port, "127.0.0.1"}, strings.NewReader(""), &out); err != nil {
		t.Fatal(err)
	}
	if run([]string{"reach", port, "127.0.0.2"}, strings.NewReader(""), &out) == nil {
		t.Fatal("reached a port that is bound to another address")
	}
}

func TestDialFailsWhenRefused(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := strconv.Itoa(listener.Addr().(*net.TCPAddr).Port)
	listener.Close()
	for _, argument := range []string{port, "0", "65536", "x"} {
		if run([]string{"dial", argument}, strings.NewReader(""), &closeable{}) == nil {
			t.Errorf("dial %s succeeded", argument)
		}
	}
}
