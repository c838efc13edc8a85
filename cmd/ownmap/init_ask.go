package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"

	"ownmap/pipeline/state"
)

// asker asks somebody at a terminal.
type asker struct {
	in   *bufio.Reader
	file *os.File
	out  io.Writer
}

// asker returns who can be asked; nil: nobody.
func (a *app) asker() *asker {
	file, ok := a.stdin.(*os.File)
	if !ok || !term.IsTerminal(int(file.Fd())) {
		return nil
	}
	return &asker{in: bufio.NewReader(file), file: file, out: a.stderr}
}

// errNoAnswer ends an interview whose terminal is gone.
var errNoAnswer = errors.New("no answer: nothing was written")

// line asks until the answer is good. An empty one is the one that stands in brackets.
func (q *asker) line(question, usual string, check func(string) error) (string, error) {
	for {
		fmt.Fprint(q.out, question)
		if usual != "" {
			fmt.Fprintf(q.out, " [%s]", usual)
		}
		fmt.Fprint(q.out, ": ")
		text, err := q.in.ReadString('\n')
		if err != nil {
			fmt.Fprintln(q.out)
			return "", errNoAnswer
		}
		if text = strings.TrimSpace(text); text == "" {
			text = usual
		}
		if check == nil {
			return text, nil
		}
		if err = check(text); err == nil {
			return text, nil
		}
		fmt.Fprintf(q.out, "  %s\n", state.Visible(err.Error()))
	}
}

// words asks for several words, divided by spaces or commas.
func (q *asker) words(question, usual string, check func(string) error) ([]string, error) {
	split := func(text string) []string {
		return strings.FieldsFunc(text, func(r rune) bool { return r == ' ' || r == ',' || r == '\t' })
	}
	text, err := q.line(question, usual, func(text string) error {
		for _, word := range split(text) {
			if err := check(word); err != nil {
				return err
			}
		}
		return nil
	})
	return split(text), err
}

// yes asks whether to do something.
func (q *asker) yes(question string, usual bool) (bool, error) {
	shown := "y/N"
	if usual {
		shown = "Y/n"
	}
	text, err := q.line(question, shown, func(text string) error {
		switch strings.ToLower(text) {
		case "y", "yes", "n", "no", strings.ToLower(shown):
			return nil
		}
		return errors.New("y or n?")
	})
	if text == shown {
		return usual, err
	}
	return strings.HasPrefix(strings.ToLower(text), "y"), err
}

// secret asks for something that is not shown.
func (q *asker) secret(question string) (string, error) {
	fmt.Fprint(q.out, question+": ")
	defer fmt.Fprintln(q.out)
	typed, err := term.ReadPassword(int(q.file.Fd()))
	if err != nil {
		return "", errNoAnswer
	}
	return strings.TrimSpace(string(typed)), nil
}
