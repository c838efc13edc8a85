// Package doclab reads the documents of the project for the test that does what they
// say: their blocks of commands, in order, and what the test is to make ready for them.
//
// The word behind a fence says what a block is (CommonMark 0.31.2, 4.5; readers see none
// of what follows it):
//
//	sh               commands, which succeed
//	sh exit=1        commands that end with this exit code
//	sh background    a command that goes on until the next heading
//	sh NAME          commands that the test called NAME runs elsewhere
//	console          commands behind $, and what they print but for its numbers
//	yaml             a config, or a part of one, that the program takes
//	yaml FILE        the same, and it stands in FILE for the commands that follow
//	text             anything else
//
// Comments of HTML are what readers do not see: "given: COMMANDS" before a block makes
// something ready for it, "then: COMMANDS" behind one looks at what it did.
package doclab

import (
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/text"
)

// Kind is what a block is.
type Kind string

// The kinds of blocks.
const (
	Shell   Kind = "sh"
	Console Kind = "console"
	YAML    Kind = "yaml"
	Text    Kind = "text"
	Heading Kind = "heading"
	Given   Kind = "given" // and Then: commands that only the test runs
	Then    Kind = "then"
)

// Block is a block of a document, or a heading.
type Block struct {
	Kind       Kind
	Line       int    // of the document, from 1
	Text       string // without the fence
	Exit       int    // that the commands are to end with
	Background bool
	Elsewhere  string // the test that runs it; empty: whoever reads the document
	File       string // where a config is to stand; empty: nowhere
	Level      int    // of a heading
}

// Read reads a document. A block that says not what it is, or is only indented, is an
// error: it would be tested by nobody.
func Read(path string) ([]Block, error) {
	source, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var blocks []Block
	err = ast.Walk(goldmark.DefaultParser().Parse(text.NewReader(source)), func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			return ast.WalkContinue, nil
		}
		block, err := blockOf(n, source)
		if err != nil {
			return ast.WalkStop, fmt.Errorf("%s:%w", path, err)
		}
		if block.Kind != "" {
			blocks = append(blocks, block)
		}
		return ast.WalkContinue, nil
	})
	return blocks, err
}

// blockOf returns the block that a node of a document is, or an empty one.
func blockOf(n ast.Node, source []byte) (Block, error) {
	if n.Type() != ast.TypeBlock || n.Lines().Len() == 0 {
		return Block{}, nil
	}
	b := Block{Line: 1 + strings.Count(string(source[:n.Lines().At(0).Start]), "\n"), Text: string(n.Lines().Value(source))}
	switch n := n.(type) {
	case *ast.Heading:
		b.Kind, b.Level = Heading, n.Level
	case *ast.CodeBlock:
		return b, fmt.Errorf("%d: an indented block: put it between fences that say what it is", b.Line)
	case *ast.FencedCodeBlock:
		var info string
		if n.Info != nil {
			info = string(n.Info.Value(source))
		}
		return b, b.fence(info)
	case *ast.HTMLBlock:
		b.comment()
	}
	return b, nil
}

// fence reads what stands behind the fence of a block.
func (b *Block) fence(info string) error {
	words := strings.Fields(info)
	if len(words) == 0 {
		return fmt.Errorf("%d: a block that says not what it is: sh, console, yaml or text", b.Line)
	}
	b.Kind = Kind(words[0])
	for _, word := range words[1:] {
		exit, isExit := strings.CutPrefix(word, "exit=")
		switch {
		case b.Kind == YAML:
			b.File = word
		case b.Kind != Shell:
			return fmt.Errorf("%d: %s says nothing of a block of %s", b.Line, word, b.Kind)
		case word == "background":
			b.Background = true
		case isExit:
			var err error
			if b.Exit, err = strconv.Atoi(exit); err != nil {
				return fmt.Errorf("%d: %w", b.Line, err)
			}
		default:
			b.Elsewhere = word
		}
	}
	switch b.Kind {
	case Shell, Console, YAML:
		return nil
	case Text:
		return b.noCommands()
	case Heading, Given, Then:
	}
	return fmt.Errorf("%d: unknown kind of block %q", b.Line, b.Kind)
}

// noCommands refuses commands in a block that nobody runs.
func (b *Block) noCommands() error {
	for line := range strings.Lines(b.Text) {
		for _, program := range []string{"$ ", "# ", "ownmap ", "make ", "sudo ", "systemctl ", "journalctl ", "apt", "psql "} {
			if strings.HasPrefix(line, program) {
				return fmt.Errorf("%d: a block of text with a command, %q: call it sh or console", b.Line, strings.TrimSpace(line))
			}
		}
	}
	return nil
}

// comment reads a comment of HTML; what is none for the test is an empty block.
func (b *Block) comment() {
	inner, isComment := strings.CutPrefix(strings.TrimSpace(b.Text), "<!--")
	inner = strings.TrimSpace(strings.TrimSuffix(inner, "-->"))
	for _, kind := range []Kind{Given, Then} {
		if commands, found := strings.CutPrefix(inner, string(kind)+":"); isComment && found {
			b.Kind, b.Text = kind, commands
		}
	}
}
