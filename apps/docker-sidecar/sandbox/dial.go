package main

import (
	"errors"
	"io"
	"net"
	"time"
)

const (
	connectTimeout = 10 * time.Second
	// How long the client's side may stay silent once the server has ended
	// its own. A server that is gone altogether looks just like one that only
	// ended its half, and a client that waits for the end of the connection
	// would else wait for ever.
	linger = time.Second
)

// dial joins in and out to a port of the named host, or of loopback, the IPv4
// one first. Each direction ends by itself; it returns when both have ended.
func dial(port string, hosts []string, in io.Reader, out io.WriteCloser) error {
	conn, err := connect(port, hosts)
	if err != nil {
		return err
	}
	defer conn.Close()

	sent := make(chan struct{})
	moved := make(chan struct{}, 1)
	go func() {
		// An error here means that the server reads no more; what it still
		// says is worth passing on, so only the other direction decides.
		_, _ = io.Copy(tap{conn, moved}, in)
		_ = conn.CloseWrite()
		close(sent)
	}()

	_, err = io.Copy(out, conn)
	_ = out.Close()
	if err != nil {
		return err
	}
	for {
		select {
		case <-sent:
			return nil
		case <-moved:
		case <-time.After(linger):
			return nil
		}
	}
}

func connect(port string, hosts []string) (*net.TCPConn, error) {
	if len(hosts) == 0 {
		hosts = []string{"127.0.0.1", "::1"}
	}
	var failures []error
	for _, host := range hosts {
		conn, err := net.DialTimeout("tcp", net.JoinHostPort(host, port), connectTimeout)
		if err == nil {
			return conn.(*net.TCPConn), nil
		}
		failures = append(failures, err)
	}
	return nil, errors.Join(failures...)
}

// tap tells that something was written, without ever waiting for a listener.
type tap struct {
	io.Writer
	moved chan<- struct{}
}

func (t tap) Write(p []byte) (int, error) {
	select {
	case t.moved <- struct{}{}:
	default:
	}
	return t.Writer.Write(p)
}
