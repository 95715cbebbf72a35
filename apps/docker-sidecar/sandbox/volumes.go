package main

import (
	"encoding/json"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// usage writes how many bytes the files below each folder take on their disk,
// as a JSON object by folder. What goes away meanwhile does not count.
func usageOf(dirs []string, out io.Writer) error {
	sizes := map[string]int64{}
	for _, dir := range dirs {
		sizes[dir] = bytesBelow(dir)
	}
	return json.NewEncoder(out).Encode(sizes)
}

func bytesBelow(dir string) int64 {
	var total int64
	type inode struct{ dev, ino uint64 }
	seen := map[inode]bool{}
	var device uint64
	_ = filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return nil
		}
		var stat syscall.Stat_t
		if syscall.Lstat(path, &stat) != nil {
			return nil
		}
		if path == dir {
			device = stat.Dev
		} else if stat.Dev != device {
			// What is mounted here is somebody else's.
			if entry.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		if id := (inode{stat.Dev, stat.Ino}); !seen[id] {
			if stat.Nlink > 1 {
				seen[id] = true
			}
			total += stat.Blocks * 512
		}
		return nil
	})
	return total
}

// unmountBelow takes away, lazily, whatever is mounted below the folders, the
// innermost first. A folder itself, which is a mount of the sandbox, stays.
func unmountBelow(dirs []string) error {
	text, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return err
	}
	targets := mountTargets(string(text))
	for i := len(targets) - 1; i >= 0; i-- {
		for _, dir := range dirs {
			if strings.HasPrefix(targets[i], strings.TrimSuffix(dir, "/")+"/") {
				const umountNoFollow = 8
				if err := syscall.Unmount(targets[i], syscall.MNT_DETACH|umountNoFollow); err != nil {
					return &os.PathError{Op: "unmount", Path: targets[i], Err: err}
				}
			}
		}
	}
	return nil
}

// mountTargets reads them in the order of mounting.
func mountTargets(mountinfo string) []string {
	var targets []string
	unescape := strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`)
	for _, line := range strings.Split(mountinfo, "\n") {
		if fields := strings.Fields(line); len(fields) > 4 {
			targets = append(targets, unescape.Replace(fields[4]))
		}
	}
	return targets
}
