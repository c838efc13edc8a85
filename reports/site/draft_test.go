package site

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// TestDraftWritesOnlyWhatDiffers holds that a draft makes a file exactly where its content
// is not that of the live one, and that the file then has all of it.
func TestDraftWritesOnlyWhatDiffers(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("0123456789", 100)
	for name, tc := range map[string]struct {
		live    string // "none": there is none
		content []string
		written bool
	}{
		"none":            {"none", []string{"a", "b"}, true},
		"none, empty":     {"none", nil, true},
		"empty, both":     {"", nil, false},
		"empty":           {"ab", nil, true},
		"same":            {"abc", []string{"a", "", "bc"}, false},
		"same, long":      {long, []string{long[:7], long[7:640], long[640:]}, false},
		"shorter":         {"abcd", []string{"ab", "c"}, true},
		"longer":          {"abc", []string{"ab", "cd"}, true},
		"longer, later":   {"abc", []string{"abc", "d"}, true},
		"another begin":   {"abc", []string{"Abc"}, true},
		"another middle":  {long, []string{long[:500], "x", long[501:]}, true},
		"another, 1 call": {long, []string{long[:500] + "x" + long[501:]}, true},
		"another end":     {long, []string{long[:999], "x"}, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			live, next := filepath.Join(dir, "live"), filepath.Join(dir, "next")
			if tc.live != "none" {
				if err := os.WriteFile(live, []byte(tc.live), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			d := newDraft(openRegular(live, 0), make([]byte, 64), func() (*newFile, error) { return createFile(next) })
			for _, part := range tc.content {
				if n, err := io.WriteString(d, part); n != len(part) || err != nil {
					t.Fatalf("%d bytes of %q are written: %v", n, part, err)
				}
			}
			written, err := d.end(nil)
			if written != tc.written || err != nil {
				t.Fatalf("written: %t, %v", written, err)
			}
			got, err := os.ReadFile(next)
			if !tc.written {
				if !errors.Is(err, os.ErrNotExist) {
					t.Errorf("there is a file, of %q: %v", got, err)
				}
				return
			}
			if want := strings.Join(tc.content, ""); string(got) != want || err != nil {
				t.Errorf("the file has %q, not %q: %v", got, want, err)
			}
		})
	}
}

// TestDraftOfNothingWhole holds that content which fails takes the place of nothing.
func TestDraftOfNothingWhole(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "page")
	if err := os.WriteFile(path, []byte("whole"), 0o600); err != nil {
		t.Fatal(err)
	}
	d := newDraft(nil, make([]byte, 64), func() (*newFile, error) { return createFile(path) })
	if _, err := io.WriteString(d, "ha"); err != nil {
		t.Fatal(err)
	}
	if _, err := d.end(io.ErrUnexpectedEOF); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("error %v", err)
	}
	if got, err := os.ReadFile(path); string(got) != "whole" || err != nil {
		t.Errorf("the file has %q: %v", got, err)
	}
}

// TestOpenRegular holds that only a regular file is read, or one that a link leads to: a
// pipe would never end.
func TestOpenRegular(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	if err := errors.Join(
		os.WriteFile(at("file"), []byte("content"), 0o600), os.Symlink("file", at("link")), os.Mkdir(at("folder"), 0o700),
		os.Symlink("folder", at("link to folder")), os.Symlink("gone", at("link to nothing")), unix.Mkfifo(at("pipe"), 0o600),
	); err != nil {
		t.Fatal(err)
	}
	lies, err := list(dir, 0)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"file": "content", "link": "content", "link to folder": "", "link to nothing": "", "pipe": ""} {
		kind, there := lies.files[name]
		if !there {
			t.Errorf("%s is not listed", name)
		}
		f := openRegular(at(name), kind)
		if f == nil {
			if want != "" {
				t.Errorf("%s is not opened", name)
			}
			continue
		}
		got, err := io.ReadAll(f)
		if err := errors.Join(err, f.Close()); err != nil || string(got) != want {
			t.Errorf("%s is %q, %v; want %q", name, got, err, want)
		}
	}
}
