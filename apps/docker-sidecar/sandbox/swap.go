package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

const (
	dataLink = "..data"
	nextLink = "..data_tmp"
)

// swap makes dir show the files of dir/name, laid out as Kubernetes' atomic
// writer does: dir/..data names the folder in use and every visible entry is a
// link through it, so a reader sees all of the old content or all of the new.
func swap(dir, name string) error {
	if err := checkName(name); err != nil {
		return err
	}
	target := filepath.Join(dir, name)
	if info, err := os.Lstat(target); err != nil {
		return err
	} else if !info.IsDir() {
		return fmt.Errorf("%s is not a folder", target)
	}
	previous, err := os.Readlink(filepath.Join(dir, dataLink))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}

	next := filepath.Join(dir, nextLink)
	if err := os.Remove(next); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if err := os.Symlink(name, next); err != nil {
		return err
	}
	if err := os.Rename(next, filepath.Join(dir, dataLink)); err != nil {
		return err
	}

	if err := addLinks(dir, name); err != nil {
		return err
	}
	if err := removeStaleLinks(dir, name); err != nil {
		return err
	}
	// A link that we did not make may name anything: only a sibling is removed.
	if previous == name || checkName(previous) != nil {
		return nil
	}
	return os.RemoveAll(filepath.Join(dir, previous))
}

func checkName(name string) error {
	reserved := name == ".." || name == dataLink || name == nextLink
	if reserved || !strings.HasPrefix(name, "..") || strings.ContainsAny(name, "/\x00") {
		return fmt.Errorf("%q is not a folder name that starts with '..'", name)
	}
	return nil
}

func addLinks(dir, name string) error {
	entries, err := os.ReadDir(filepath.Join(dir, name))
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if strings.HasPrefix(entry.Name(), "..") {
			continue
		}
		link := filepath.Join(dir, entry.Name())
		if err := os.Symlink(filepath.Join(dataLink, entry.Name()), link); err != nil && !errors.Is(err, os.ErrExist) {
			return err
		}
	}
	return nil
}

func removeStaleLinks(dir, name string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		link := filepath.Join(dir, entry.Name())
		points, err := os.Readlink(link)
		if err != nil || points != filepath.Join(dataLink, entry.Name()) {
			continue
		}
		if _, err := os.Lstat(filepath.Join(dir, name, entry.Name())); errors.Is(err, os.ErrNotExist) {
			if err := os.Remove(link); err != nil {
				return err
			}
		}
	}
	return nil
}
