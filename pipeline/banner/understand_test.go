package banner

import (
	"strings"
	"testing"
)

// hello is a MySQL greeting with a thread and a salt.
func hello(version, thread, salt string) string {
	body := "\x0a" + version + "\x00" + thread + salt + "\x00\xff\xff\xff\x02\x00mysql_native_password\x00"
	return string([]byte{byte(len(body)), 0, 0, 0}) + body
}

// page is an answer of a web server with what varies in each.
func pageOf(server, date, etag, cookie, title string) string {
	body := "<html><head><TITLE lang=en>\n " + title + "</title></head><body>" + strings.Repeat(cookie, 3) + "</body></html>"
	return "HTTP/1.1 200 OK\r\nServer: " + server + "\r\nDate: " + date + "\r\nETag: \"" + etag + "\"\r\nSet-Cookie: sid=" + cookie +
		"\r\nX-Request-Id: " + cookie + "\r\nContent-Type: text/html\r\n\r\n" + body
}

// TestStable holds what the room is for: the same service says the same whenever it
// is asked, and another product or version does not.
func TestStable(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ was, same, other string }{
		"ssh": {
			was:   "SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3\r\n",
			same:  "SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3\r\n\x00\x00\x04\x1c\x0a\x14\x8f\x11\x92\xffcurve25519",
			other: "SSH-2.0-OpenSSH_9.3p1 Debian-2+deb12u3\r\n",
		},
		"ssh with lines before": {
			was:   "Be good, it is 12:28\r\nSSH-2.0-dropbear_2022.83\r\n",
			same:  "Be good, it is 23:59\r\nSSH-2.0-dropbear_2022.83\r\n",
			other: "Be good, it is 12:28\r\nSSH-2.0-dropbear_2022.84\r\n",
		},
		"smtp date": {
			was:   "220 mx.example.org ESMTP Exim 4.96 Mon, 23 Nov 2026 12:28:37 +0100\r\n",
			same:  "220 mx.example.org ESMTP Exim 4.96 Sun, 5 Jul 2027 00:01:02 +0200\r\n",
			other: "220 mx.example.org ESMTP Exim 4.97 Mon, 23 Nov 2026 12:28:37 +0100\r\n",
		},
		"smtp queue id": {
			was:   "220 mx.example.org ESMTP 4WxYz7Kp2Rq9Lm3Bn5 ready\r\n",
			same:  "220 mx.example.org ESMTP 9QaBc1Df8Gh2Jk6Lp4 ready\r\n",
			other: "220 mx2.example.org ESMTP 4WxYz7Kp2Rq9Lm3Bn5 ready\r\n",
		},
		"smtp after our request": {
			was:   "220 mail.example.org ESMTP Postfix (Debian/GNU)\r\n",
			same:  "220 mail.example.org ESMTP Postfix (Debian/GNU)\r\n221 2.7.0 Error: I can break rules, too. Goodbye.\r\n",
			other: "220 mail.example.org ESMTP Postfix (Ubuntu)\r\n",
		},
		"exchange": {
			was:   "220 ex.example.org Microsoft ESMTP MAIL Service, Version: 10.0.17763.1697 ready at  Mon, 23 Nov 2026 12:28:37 +0000 \r\n",
			same:  "220 ex.example.org Microsoft ESMTP MAIL Service, Version: 10.0.17763.1697 ready at  Tue, 1 Dec 2026 02:08:07 +0000 \r\n",
			other: "220 ex.example.org Microsoft ESMTP MAIL Service, Version: 10.0.20348.1 ready at  Mon, 23 Nov 2026 12:28:37 +0000 \r\n",
		},
		"ftp of several lines": {
			was:   "220---------- Welcome to Pure-FTPd [privsep] [TLS] ----------\r\n220-You are user number 3 of 50 allowed.\r\n220-Local time is now 12:28.\r\n220 End\r\n",
			same:  "220---------- Welcome to Pure-FTPd [privsep] [TLS] ----------\r\n220-You are user number 17",
			other: "220---------- Welcome to ProFTPD [privsep] [TLS] ----------\r\n220 End\r\n",
		},
		"ftp repeats our address": {
			was:   "220 ProFTPD 1.3.5rc3 Server ready for 192.0.2.7\r\n",
			same:  "220 ProFTPD 1.3.5rc3 Server ready for 192.0.2.7\r\n",
			other: "220 ProFTPD 1.3.6 Server ready for 192.0.2.7\r\n",
		},
		"pop3": {
			was:   "+OK Dovecot (Debian) ready. <1896.697170952.4@mail.example.org>\r\n",
			same:  "+OK Dovecot (Debian) ready. <2.698.9@mail.example.org>\r\n",
			other: "+OK Dovecot (Ubuntu) ready. <1896.697170952.4@mail.example.org>\r\n",
		},
		"imap": {
			was:   "* OK [CAPABILITY IMAP4rev1 ID STARTTLS] Dovecot ready.\r\n",
			same:  "* OK [CAPABILITY IMAP4rev1 ID STARTTLS] Dovecot ready.\r\nGET BAD Error in IMAP command\r\n",
			other: "* OK [CAPABILITY IMAP4rev1 ID LOGINDISABLED] Dovecot ready.\r\n",
		},
		"mysql": {
			was:   hello("8.0.36", "\x08\x00\x00\x00", "abcdefgh"),
			same:  hello("8.0.36", "\x0a\x00\x01\x00", "\nZ(]rst%"),
			other: hello("8.0.37", "\x08\x00\x00\x00", "abcdefgh"),
		},
		"mysql that names us": {
			was:   "\x20\x00\x00\x00\xff\x6a\x04Host '192.0.2.7' is not allowed",
			same:  "\x20\x00\x00\x00\xff\x6a\x04Host 'scan.exa' is not allowed",
			other: "\x20\x00\x00\x00\xff\x69\x04Host '192.0.2.7' is blocked ...",
		},
		"http": {
			was:   pageOf("nginx/1.22.1", "Mon, 23 Nov 2026 12:28:37 GMT", "6381-5e", "aGVsbG8gd29ybGQ", "Build 3.2 of 2026-11-23T12:28:37Z"),
			same:  pageOf("nginx/1.22.1", "Tue, 24 Nov 2026 02:00:00 GMT", "1-2", "x", "Build 3.2 of 2026-12-01T00:00:01Z"),
			other: pageOf("nginx/1.24.0", "Mon, 23 Nov 2026 12:28:37 GMT", "6381-5e", "aGVsbG8gd29ybGQ", "Build 3.2 of 2026-11-23T12:28:37Z"),
		},
		"http title": {
			was:   pageOf("x", "", "", "1", "Grafana 9.2"),
			same:  pageOf("x", "", "", "2", "Grafana  9.2"),
			other: pageOf("x", "", "", "1", "Grafana 9.3"),
		},
		"http challenge": {
			was:   "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Digest realm=\"lab\", nonce=\"abc\", qop=\"auth\"\r\n\r\n",
			same:  "HTTP/1.1 401 Unauthorized\r\nwww-authenticate: Digest nonce=\"1f\", Realm=\"lab\"\r\nRetry-After: 3\r\n\r\n",
			other: "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Digest realm=\"attic\", nonce=\"abc\"\r\n\r\n",
		},
		"http fields in another order": {
			was:   "HTTP/1.0 200 OK\r\nX-Powered-By: PHP/8.2.7\r\nServer: Apache\r\n\r\n",
			same:  "HTTP/1.0 200 OK\r\nServer: Apache\r\nX-Powered-By: PHP/8.2.7\r\nAge: 7\r\n\r\n",
			other: "HTTP/1.0 200 OK\r\nX-Powered-By: PHP/8.2.8\r\nServer: Apache\r\n\r\n",
		},
		"redis": {
			was:   "-ERR wrong number of arguments for 'get' command\r\n",
			same:  "-ERR wrong number of arguments for 'get' command\r\n-ERR unknown command\r\n",
			other: "-NOAUTH Authentication required.\r\n",
		},
		"vnc":   {was: "RFB 003.008\n", same: "RFB 003.008\n", other: "RFB 003.007\n"},
		"rsync": {was: "@RSYNCD: 31.0 sha512 md5\n", same: "@RSYNCD: 31.0 sha512 md5\nmotd at 12:28\n", other: "@RSYNCD: 32.0 sha512 md5\n"},
		"amqp":  {was: "AMQP\x00\x00\x09\x01", same: "AMQP\x00\x00\x09\x01more", other: "AMQP\x03\x01\x00\x00"},
		"telnet": {
			was:   "\xff\xfd\x18\xff\xfd\x20\xff\xfa\x18\x01\xff\xf0router login at Nov 23 12:28:37 2026\r\n",
			same:  "\xff\xfd\x18\xff\xfd\x20\xff\xfa\x18\x02\xff\xf0router login at Jan  1 00:00:00 2027\r\n",
			other: "\xff\xfd\x18\xff\xfb\x01\xff\xfa\x18\x01\xff\xf0router login at Nov 23 12:28:37 2026\r\n",
		},
		"unknown text": {
			was:   "Gate 2.1 up\nsession=8f3c2d1e id 550e8400-e29b-41d4-a716-446655440000 [4711]\n",
			same:  "Gate 2.1 up\nsession=00000001 id 6ba7b810-9dad-11d1-80b4-00c04fd430c8 [12]\n",
			other: "Gate 2.2 up\nsession=8f3c2d1e id 550e8400-e29b-41d4-a716-446655440000 [4711]\n",
		},
		"daytime": {was: "Mon Nov 23 12:28:37 2026\r\n", same: "Fri Jan  1 00:00:00 2027\r\n", other: "0\r\n"},
		"bytes":   {was: "\x00\x01\x02\x03\x04", same: "\x00\x01\x02\x03\x04", other: "\x00\x01\x02\x03\x05"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			hash := func(said string) string { return understand([]byte(said), endQuiet, "192.0.2.7").banner().Hash }
			if hash(c.was) != hash(c.same) {
				t.Errorf("%q and %q of the same service differ", c.was, c.same)
			}
			if hash(c.was) == hash(c.other) {
				t.Errorf("%q and %q are not told apart", c.was, c.other)
			}
		})
	}
}

// TestOwnAddress holds that a scan from another address hears the same.
func TestOwnAddress(t *testing.T) {
	t.Parallel()
	one := understand([]byte("220 box greets 192.0.2.7\r\n"), endQuiet, "192.0.2.7").banner()
	two := understand([]byte("220 box greets 198.51.100.20\r\n"), endQuiet, "198.51.100.20").banner()
	if one != two {
		t.Error("the banner depends on who asks")
	}
}

// TestBusy holds that a refusal for now is nobody's banner.
func TestBusy(t *testing.T) {
	t.Parallel()
	for said, want := range map[string]bool{
		"421 4.7.0 Too many connections\r\n":                  true,
		"Exceeded MaxStartups\r\n":                            true,
		"Not allowed at this time\r\n":                        true,
		"* BYE down\r\n":                                      true,
		"-LOADING Redis is loading the dataset in memory\r\n": true,
		"\x17\x00\x00\x00\xff\x10\x04Too many connections":    true,
		"220 fine\r\n":                                        false,
		"SSH-2.0-x\r\n":                                       false,
	} {
		if got := understand([]byte(said), endClosed, ""); got.busy != want {
			t.Errorf("%q: busy %t", said, got.busy)
		}
	}
}

// TestAgree holds what is made of two looks that differ.
func TestAgree(t *testing.T) {
	t.Parallel()
	salted := func(salt string) voice {
		return understand([]byte("\x00\x00\x00\x2aproto\x00\x00\x03"+salt), endQuiet, "")
	}
	one, ok1 := agree(salted("\x8a\x11\x92\x07"), salted("\x01\x02\x03\x04\x05"))
	two, ok2 := agree(salted("\xfe\xed\xfa\xce"), salted("\x99\x98\x97\x96\x95"))
	if !ok1 || !ok2 || one.banner() != two.banner() {
		t.Error("a salt gets into the hash")
	}
	other, _ := agree(understand([]byte("\x00\x00\x00\x2bproto\x00\x00\x03abcd"), endQuiet, ""), understand([]byte("\x00\x00\x00\x2bproto\x00\x00\x03efgh"), endQuiet, ""))
	if other.banner() == one.banner() {
		t.Error("what stands before the salt does not get into the hash")
	}
	if _, ok := agree(salted("1"), understand(nil, endQuiet, "")); ok {
		t.Error("silence agrees with words")
	}
}

// FuzzStable holds that no bytes break what is made of them, that the same bytes
// give the same, and that what counted as complete is understood the same when
// more follows: else the hash would depend on how packets were cut.
func FuzzStable(f *testing.F) {
	for _, said := range []string{
		"", "SSH-2.0-x\r\n", "220-a\r\n220 b\r\n", hello("8", "1234", "salt"), pageOf("a", "b", "c", "d", "e"), "\xff\xfa", "\xff\xfd\x18x\xff",
		"\x15\x03\x01\x00\x02", "HTTP/1.1 200", "HTTP/1.1 200 OK\r\nContent-Length: 9999999999999999999\r\n\r\n<title", "AMQP\x00\x00\x09\x01",
		"\x03\x00\x00\x00\xff\x10\x04", "Nov 23 12:28:37 2026 [12] <a@b> id=1 \u2028", "+OK\n", "-ERR\n", "<title>\xff</title>",
	} {
		f.Add([]byte(said), []byte("220 x\r\n"))
	}
	f.Fuzz(func(t *testing.T, said, more []byte) {
		said = said[:min(len(said), maxSaid)]
		v := understand(said, endWhole, "192.0.2.7")
		b := v.banner()
		if len(b.Hash) != 32 || b.Silent != (len(said) == 0) || v.silent() != b.Silent {
			t.Fatalf("banner of %q: %+v", said, b)
		}
		if again := understand(said, endWhole, "192.0.2.7").banner(); again != b {
			t.Fatalf("%q has two banners", said)
		}
		size := 0
		for _, part := range v.parts {
			size += len(part)
		}
		if size > 4*maxSaid+100 {
			t.Fatalf("%d bytes are made of %d", size, len(said))
		}
		if whole(said) && !isHTTP(said) {
			if later := understand(append(said[:len(said):len(said)], more...), endQuiet, "192.0.2.7").banner(); later != b {
				t.Fatalf("%q is complete and yet changes with %q", said, more)
			}
		}
	})
}
