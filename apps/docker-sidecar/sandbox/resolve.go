package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"unsafe"
)

const (
	sysOpenat2         = 437
	oPath              = 0x200000
	resolveNoMagic     = 0x02
	resolveNoSymlinks  = 0x04
	resolveBeneath     = 0x08
	resolveOnlyBeneath = resolveNoMagic | resolveNoSymlinks | resolveBeneath
)

// resolved is what the caller may bind: a path below the root without any
// symbolic link in it, and what is there.
type resolved struct {
	Path string `json:"path"`
	Kind string `json:"kind"`
}

// resolveCommand finds a path below a root. Nothing on the way may be a
// symbolic link: whoever binds the result follows links, out of the root.
func resolveCommand(args []string, out io.Writer) error {
	flags := flag.NewFlagSet("resolve", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	data := flags.Bool("data", false, "begin at the folder that ..data of the root names")
	create := flags.String("create", "", "make what is missing: directory, as the root is; folder, 0755; file, 0644")
	if flags.Parse(args) != nil || flags.NArg() != 2 {
		return errUsage
	}
	found, err := resolve(flags.Arg(0), flags.Arg(1), *data, *create)
	if err != nil {
		return err
	}
	return json.NewEncoder(out).Encode(found)
}

func resolve(root, path string, data bool, create string) (resolved, error) {
	clean, err := cleanPath(path)
	if err != nil {
		return resolved{}, err
	}
	if data {
		// Only we write such a volume, so this link can be trusted.
		name, err := os.Readlink(filepath.Join(root, dataLink))
		if err != nil {
			return resolved{}, err
		}
		if err := checkName(name); err != nil {
			return resolved{}, err
		}
		clean = filepath.Join(name, clean)
	}
	if clean == "." {
		// It may be a file or a device that is mounted there.
		var stat syscall.Stat_t
		if err := syscall.Lstat(root, &stat); err != nil {
			return resolved{}, err
		}
		return resolved{Path: clean, Kind: kindOf(stat.Mode)}, nil
	}
	base, err := os.OpenFile(root, oPath|syscall.O_DIRECTORY|syscall.O_CLOEXEC, 0)
	if err != nil {
		return resolved{}, err
	}
	defer base.Close()
	fd, err := openBeneath(int(base.Fd()), clean, oPath)
	if errors.Is(err, syscall.ENOENT) && create != "" {
		if err := makeMissing(base, clean, create); err != nil {
			return resolved{}, describe(path, err)
		}
		fd, err = openBeneath(int(base.Fd()), clean, oPath)
	}
	if err != nil {
		return resolved{}, describe(path, err)
	}
	defer syscall.Close(fd)
	var stat syscall.Stat_t
	if err := syscall.Fstat(fd, &stat); err != nil {
		return resolved{}, err
	}
	return resolved{Path: clean, Kind: kindOf(stat.Mode)}, nil
}

func cleanPath(path string) (string, error) {
	if strings.HasPrefix(path, "/") || strings.Contains(path, "\x00") {
		return "", fmt.Errorf("%q is not a relative path", path)
	}
	for _, part := range strings.Split(path, "/") {
		if part == ".." {
			return "", fmt.Errorf("%q leaves its folder", path)
		}
	}
	return filepath.Clean(path), nil
}

// makeMissing makes the folders on the way, and the last part as it is asked for.
// Each step is taken from the folder just opened, so that nobody can have it
// made elsewhere by putting a link in its place.
func makeMissing(base *os.File, path, create string) error {
	mode, err := modeOf(base, create)
	if err != nil {
		return err
	}
	parts := strings.Split(path, "/")
	if create == "file" {
		parts = parts[:len(parts)-1]
	}
	parent := int(base.Fd())
	for _, part := range parts {
		fd, err := openBeneath(parent, part, syscall.O_DIRECTORY|syscall.O_RDONLY)
		if errors.Is(err, syscall.ENOENT) && create != "file" {
			fd, err = makeFolder(parent, part, mode)
		}
		if err != nil {
			return err
		}
		defer syscall.Close(fd)
		parent = fd
	}
	if create != "file" {
		return nil
	}
	fd, err := openBeneathMode(parent, filepath.Base(path), syscall.O_CREAT|syscall.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	return syscall.Close(fd)
}

func makeFolder(parent int, name string, mode uint32) (int, error) {
	if err := syscall.Mkdirat(parent, name, mode); err != nil && !errors.Is(err, syscall.EEXIST) {
		return -1, err
	}
	fd, err := openBeneath(parent, name, syscall.O_DIRECTORY|syscall.O_RDONLY)
	if err != nil {
		return -1, err
	}
	// Whatever our umask made of it.
	if err := syscall.Fchmod(fd, mode); err != nil {
		syscall.Close(fd)
		return -1, err
	}
	return fd, nil
}

// modeOf is that of the root for folders of a volume: who may write there may
// write here, as the kubelet has it.
func modeOf(base *os.File, create string) (uint32, error) {
	switch create {
	case "folder", "file":
		return 0o755, nil
	case "directory":
		var stat syscall.Stat_t
		if err := syscall.Fstat(int(base.Fd()), &stat); err != nil {
			return 0, err
		}
		return stat.Mode & (0o777 | syscall.S_ISGID), nil
	}
	return 0, errUsage
}

type openHow struct{ flags, mode, resolve uint64 }

func openBeneath(dir int, path string, flags uint64) (int, error) {
	return openBeneathMode(dir, path, flags, 0)
}

func openBeneathMode(dir int, path string, flags, mode uint64) (int, error) {
	name, err := syscall.BytePtrFromString(path)
	if err != nil {
		return -1, err
	}
	how := openHow{flags | syscall.O_CLOEXEC, mode, resolveOnlyBeneath}
	for {
		fd, _, errno := syscall.Syscall6(sysOpenat2, uintptr(dir), uintptr(unsafe.Pointer(name)),
			uintptr(unsafe.Pointer(&how)), unsafe.Sizeof(how), 0, 0)
		// EAGAIN: somebody renames on the way, and the kernel cannot be sure.
		if errno == syscall.EAGAIN || errno == syscall.EINTR {
			continue
		}
		if errno != 0 {
			return -1, errno
		}
		return int(fd), nil
	}
}

func describe(path string, err error) error {
	switch {
	case errors.Is(err, syscall.ELOOP):
		return fmt.Errorf("%q has a symbolic link in it", path)
	case errors.Is(err, syscall.EXDEV):
		return fmt.Errorf("%q leaves its folder", path)
	case errors.Is(err, syscall.ENOENT):
		return fmt.Errorf("%q does not exist", path)
	}
	return fmt.Errorf("%q: %w", path, err)
}

func kindOf(mode uint32) string {
	switch mode & syscall.S_IFMT {
	case syscall.S_IFDIR:
		return "directory"
	case syscall.S_IFREG:
		return "file"
	case syscall.S_IFSOCK:
		return "socket"
	case syscall.S_IFCHR:
		return "charDevice"
	case syscall.S_IFBLK:
		return "blockDevice"
	}
	return "other"
}
