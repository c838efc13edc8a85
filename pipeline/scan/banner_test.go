package scan

import "testing"

func TestBanner(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ fingerprint, want string }{
		"none":    {"", ""},
		"no data": {"SF-Port1-TCP:V=7.93", ""},
		"hostile": {
			`SF-Port20702-TCP:V=7.93%I=7%r(NULL,3A,"SSH-2\.0-dropbear_2022\.83<script>alert\(1\)</script>\x1b\[2J\xe2\x80\xae\r\n");`,
			`SSH-2.0-dropbear_2022.83<script>alert(1)</script>\x1b[2J\u{202e}`,
		},
		"first line of first probe": {`x%r(GetRequest,9,"HTTP/1\.0\x20200\x20OK\r\nServer:\x20x\r\n")%r(Help,1,"z")`, "HTTP/1.0 200 OK"},
		"zero byte ends":            {`%r(NULL,3,"ab\0cd")`, "ab"},
		"cut":                       {`%r(NULL,3,"ab\x`, "ab"},
		"quote":                     {`%r(NULL,3,"a\"b")`, `a"b`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := banner(c.fingerprint); got != c.want {
				t.Errorf("banner: %q, want %q", got, c.want)
			}
		})
	}
}

func FuzzBanner(f *testing.F) {
	f.Add(`%r(NULL,3A,"SSH-2\.0\x1b\r\n")`)
	f.Fuzz(func(t *testing.T, fingerprint string) {
		for _, r := range banner(fingerprint) {
			if r < 0x20 || r == 0x202e {
				t.Fatalf("%q lets %U through", fingerprint, r)
			}
		}
	})
}
