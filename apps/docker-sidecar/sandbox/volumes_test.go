package main

import (
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
)

func link(t *testing.T, target, path string) {
	t.Helper()
	if err := os.Symlink(target, path); err != nil {
		t.Fatal(err)
	}
}

func TestResolveFindsWhatIsThere(t *testing.T) {
	root := t.TempDir()
	write(t, filepath.Join(root, "a", "b"), "x")
	for path, want := range map[string]resolved{
		"a":     {"a", "directory"},
		"./a//": {"a", "directory"},
		"a/b":   {"a/b", "file"},
		".":     {".", "directory"},
		"":      {".", "directory"},
	} {
		got, err := resolve(root, path, false, "")
		if err != nil || got != want {
			t.Errorf("%q: %v, %v", path, got, err)
		}
	}
}

func TestResolveOfTheRootItself(t *testing.T) {
	for path, kind := range map[string]string{"/dev/null": "charDevice", t.TempDir(): "directory"} {
		if got, err := resolve(path, "", false, ""); err != nil || got != (resolved{".", kind}) {
			t.Errorf("%s: %v, %v", path, got, err)
		}
	}
}

func TestResolveFollowsNoLinkAndLeavesNothing(t *testing.T) {
	outside := t.TempDir()
	write(t, filepath.Join(outside, "secret"), "x")
	root := t.TempDir()
	link(t, outside, filepath.Join(root, "out"))
	link(t, ".", filepath.Join(root, "self"))
	link(t, "/proc/self/root", filepath.Join(root, "magic"))
	for _, path := range []string{"out", "out/secret", "self", "self/out", "magic/etc", "..", "a/../..", "/etc", "out/new/deep"} {
		for _, create := range []string{"", "directory", "folder", "file"} {
			if got, err := resolve(root, path, false, create); err == nil {
				t.Errorf("%q with create %q gave %v", path, create, got)
			}
		}
	}
	if got := names(t, outside); !slices.Equal(got, []string{"secret"}) {
		t.Fatalf("outside has %v", got)
	}
}

func TestResolveMakesWhatIsMissingAsTheRootIs(t *testing.T) {
	root := t.TempDir()
	// Past the umask of whoever tests.
	if err := os.Chmod(root, 0o777|os.ModeSetgid); err != nil {
		t.Fatal(err)
	}
	for _, one := range []struct {
		path, create, kind string
		mode               uint32
	}{
		{"sub/deep", "directory", "directory", 0o2777},
		{"host/deep", "folder", "directory", 0o755},
		{"host/file", "file", "file", 0o644},
	} {
		old := syscall.Umask(0o022)
		got, err := resolve(root, one.path, false, one.create)
		syscall.Umask(old)
		if err != nil || got != (resolved{one.path, one.kind}) {
			t.Fatalf("%s: %v, %v", one.path, got, err)
		}
		var stat syscall.Stat_t
		if err := syscall.Stat(filepath.Join(root, one.path), &stat); err != nil || stat.Mode&0o2777 != one.mode {
			t.Errorf("%s has mode %o, %v", one.path, stat.Mode&0o7777, err)
		}
	}
	if _, err := resolve(root, "none/file", false, "file"); err == nil {
		t.Error("a file was made without its folder")
	}
}

func TestResolveBeginsAtTheContentInUse(t *testing.T) {
	root := t.TempDir()
	write(t, filepath.Join(root, "..one", "key"), "1")
	if err := swap(root, "..one"); err != nil {
		t.Fatal(err)
	}
	got, err := resolve(root, "key", true, "")
	if err != nil || got != (resolved{"..one/key", "file"}) {
		t.Fatalf("%v, %v", got, err)
	}
	if got, err := resolve(root, "key", false, ""); err == nil {
		t.Fatalf("the link was followed: %v", got)
	}
}

func TestUsageCountsEachFileOnce(t *testing.T) {
	dir := t.TempDir()
	empty := bytesBelow(dir)
	if err := os.WriteFile(filepath.Join(dir, "a"), make([]byte, 1<<20), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Link(filepath.Join(dir, "a"), filepath.Join(dir, "b")); err != nil {
		t.Fatal(err)
	}
	if got := bytesBelow(dir) - empty; got < 1<<20 || got > 1<<20+1<<16 {
		t.Fatalf("%d bytes", got)
	}
}

func TestMountTargets(t *testing.T) {
	text := `1 0 8:1 / / rw - ext4 /dev/a rw
2 1 0:5 / /volumes/a\040b rw shared:1 - tmpfs x rw
`
	if got := mountTargets(text); !slices.Equal(got, []string{"/", "/volumes/a b"}) {
		t.Fatalf("%v", got)
	}
}
