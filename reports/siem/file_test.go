package siem

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"ownmap/pipeline/state"
)

func file(t *testing.T, path string) *File {
	t.Helper()
	f, err := NewFile(FileOptions{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func content(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "ownmap.jsonl")
	lines, err := RenderLines(message())
	if err != nil {
		t.Fatal(err)
	}
	var once strings.Builder
	for _, line := range lines {
		once.Write(line)
	}
	f := file(t, path)
	for range 2 {
		if err := f.Send(t.Context(), message()); err != nil {
			t.Fatal(err)
		}
	}
	if content(t, path) != once.String()+once.String() {
		t.Error("a repeat does not stand behind the first try")
	}
	if about, _ := os.Stat(path); about.Mode() != 0o600 {
		t.Errorf("mode %v", about.Mode())
	}
	// logrotate renames it, and makes a new one or none.
	if err := os.Rename(path, path+".1"); err != nil {
		t.Fatal(err)
	}
	if err := f.Send(t.Context(), message()); err != nil || content(t, path) != once.String() {
		t.Errorf("after a rotation: %v", err)
	}
	// A disk that was full leaves half a line.
	if err := os.WriteFile(path, []byte(`{"id":"x`), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := f.Send(t.Context(), message()); err != nil || content(t, path) != "{\"id\":\"x\n"+once.String() {
		t.Errorf("after half a line: %v", err)
	}
}

func TestNoFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	target, link, dangling, pipe := filepath.Join(dir, "target"), filepath.Join(dir, "link"), filepath.Join(dir, "dangling"), filepath.Join(dir, "pipe")
	if err := errors.Join(os.WriteFile(target, nil, 0o600), os.Symlink(target, link), os.Symlink(target+"2", dangling), syscall.Mkfifo(pipe, 0o600)); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		link: "is a symbolic link", dangling: "is a symbolic link", pipe: "is no regular file", dir: "is a directory", "/dev/null": "is no regular file", dir + "/missing/x": "no such file", target + "/x": "not a directory",
	} {
		err := file(t, path).Send(t.Context(), message())
		var failure *state.SendError
		if !errors.As(err, &failure) || failure.Permanent || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: want %q, got %v", path, want, err)
		}
	}
	if content(t, target) != "" {
		t.Error("the target of a link was written")
	}
	if _, err := os.Stat(target + "2"); !errors.Is(err, os.ErrNotExist) {
		t.Error("the target of a link was made")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := file(t, target).Send(ctx, message()); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	if _, err := NewFile(FileOptions{}); err == nil {
		t.Error("no path is taken")
	}
}
