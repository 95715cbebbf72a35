// The one program of the sandbox image: PID 1 of a pod's namespaces, and the
// hand that reaches into them (ports on loopback, volumes laid out atomically).
package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strconv"
	"syscall"
)

const version = "2"

const usage = `usage: sandbox [wait]           write the pod's /etc/hosts and /etc/resolv.conf, stay as PID 1, reap orphans,
                                end at once on SIGTERM or SIGINT
       sandbox dial PORT [HOST] join standard input and output to a port, on loopback if no host is named
       sandbox reach PORT HOST  whether somebody listens there
       sandbox swap DIR NAME    make DIR/NAME the content that DIR shows
       sandbox resolve [-data] [-create KIND] DIR PATH
                                where PATH below DIR is, without following a link
       sandbox usage DIR...     bytes that the files below each folder take
       sandbox unmount DIR...   unmount, lazily, whatever is mounted below the folders
       sandbox version
`

var errUsage = errors.New("wrong arguments")

func main() {
	err := run(os.Args[1:], os.Stdin, os.Stdout)
	if errors.Is(err, errUsage) {
		fmt.Fprint(os.Stderr, usage)
		os.Exit(2)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "sandbox:", err)
		os.Exit(1)
	}
}

func run(args []string, in io.Reader, out io.WriteCloser) error {
	command, args := first(args)
	switch {
	case (command == "" || command == "wait") && len(args) == 0:
		if text, ok := os.LookupEnv(networkFilesVariable); ok {
			// The engine's own files serve in a pinch: the pod starts all the same.
			if err := writeNetworkFiles(text); err != nil {
				fmt.Fprintln(os.Stderr, "sandbox:", err)
			}
		}
		wait()
		return nil
	case command == "dial" && (len(args) == 1 || len(args) == 2):
		port, err := parsePort(args[0])
		if err != nil {
			return err
		}
		return dial(port, args[1:], in, out)
	case command == "reach" && len(args) == 2:
		port, err := parsePort(args[0])
		if err != nil {
			return err
		}
		conn, err := connect(port, args[1:])
		if err != nil {
			return err
		}
		return conn.Close()
	case command == "swap" && len(args) == 2:
		return swap(args[0], args[1])
	case command == "resolve":
		return resolveCommand(args, out)
	case command == "usage" && len(args) > 0:
		return usageOf(args, out)
	case command == "unmount" && len(args) > 0:
		return unmountBelow(args)
	case command == "version" && len(args) == 0:
		_, err := fmt.Fprintln(out, version)
		return err
	}
	return errUsage
}

func parsePort(text string) (string, error) {
	port, err := strconv.ParseUint(text, 10, 16)
	if err != nil || port == 0 {
		return "", fmt.Errorf("%q is not a port", text)
	}
	return strconv.FormatUint(port, 10), nil
}

func first(args []string) (string, []string) {
	if len(args) == 0 {
		return "", nil
	}
	return args[0], args[1:]
}

// wait reaps whatever is orphaned onto PID 1 and returns when asked to end.
func wait() {
	signals := make(chan os.Signal, 16)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT, syscall.SIGCHLD)
	for {
		// Before the first signal too: a child may have ended before Notify.
		reap()
		if s := <-signals; s != syscall.SIGCHLD {
			return
		}
	}
}

func reap() {
	for {
		pid, err := syscall.Wait4(-1, nil, syscall.WNOHANG, nil)
		if errors.Is(err, syscall.EINTR) {
			continue
		}
		if err != nil || pid <= 0 {
			return
		}
	}
}
