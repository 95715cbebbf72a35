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

const version = "1"

const usage = `usage: sandbox [wait]           stay as PID 1, reap orphans, end at once on SIGTERM or SIGINT
       sandbox dial PORT        join standard input and output to a port on loopback
       sandbox swap DIR NAME    make DIR/NAME the content that DIR shows
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
		wait()
		return nil
	case command == "dial" && len(args) == 1:
		port, err := strconv.ParseUint(args[0], 10, 16)
		if err != nil || port == 0 {
			return fmt.Errorf("%q is not a port", args[0])
		}
		return dial(strconv.FormatUint(port, 10), in, out)
	case command == "swap" && len(args) == 2:
		return swap(args[0], args[1])
	case command == "version" && len(args) == 0:
		_, err := fmt.Fprintln(out, version)
		return err
	}
	return errUsage
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
