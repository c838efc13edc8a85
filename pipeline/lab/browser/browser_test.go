package browser

import (
	"bytes"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestBrowser holds that the lab sees faults where there are some.
func TestBrowser(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "page.html")
	content := `<!DOCTYPE html><html><head><meta http-equiv="Content-Security-Policy" content="default-src 'none'"><title>t</title></head>
<body><img src="http://192.0.2.1/x.png"><p style="width:2000px">wide</p><noscript>no script</noscript></body></html>`
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	b := Start(t)
	p := b.Open(t, "file://"+file, View{Width: 390})
	if found := strings.Join(p.Axe(t), "\n"); !strings.Contains(found, "image-alt") || !strings.Contains(found, "html-has-lang") {
		t.Errorf("axe found only %q", found)
	}
	if messages := strings.Join(p.Messages(), "\n"); !strings.Contains(messages, "Content Security Policy") {
		t.Errorf("no violation of the policy was told: %q", messages)
	}
	picture, err := png.DecodeConfig(bytes.NewReader(p.Picture(t)))
	if err != nil || picture.Width < 390 {
		t.Errorf("the picture is %d pixels wide: %v", picture.Width, err)
	}
	quiet := b.Open(t, "file://"+file, View{Dark: true, NoScript: true})
	text := Eval[string](t, quiet, `document.body.innerText + (matchMedia("(prefers-color-scheme: dark)").matches ? " dark" : "")`)
	if !strings.Contains(text, "no script") || !strings.HasSuffix(text, "dark") {
		t.Errorf("scripts are not off, or the page is not dark: %q", text)
	}

	Eval[string](t, p, `document.title = "left"`)
	p.Show(t, "file://"+file+"#place", View{Width: 390})
	if title := Eval[string](t, p, "document.title"); title != "t" {
		t.Errorf("another place of the same page is not loaded: its title is %q", title)
	}
	other := filepath.Join(filepath.Dir(file), "other.html")
	if err := os.WriteFile(other, []byte("<!DOCTYPE html><title>other</title>"), 0o600); err != nil {
		t.Fatal(err)
	}
	if p.Show(t, "file://"+other, View{}); len(p.Messages()) != 0 {
		t.Errorf("the next page is charged with the one before: %q", p.Messages())
	}
}
