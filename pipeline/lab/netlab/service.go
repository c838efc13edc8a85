package netlab

import (
	"strings"
	"time"
)

// Service is what speaks on an open port.
type Service struct {
	// Product is the name that nmap -sV gives it; empty when it recognises nothing.
	Product string
	// Greeting is what it says by itself.
	Greeting string
	// Answer is what it says to a request, and whether it hangs up then. Nil: it never answers.
	Answer func(request string) (reply string, hangUp bool)
	// Patience is how long it waits for whoever says nothing; 0: 20 seconds.
	Patience time.Duration
}

// Services are the protocols of the lab by name: ssh, http, smtp, ftp, redis, mysql, and silent, which never
// speaks: the slow case of service detection.
func Services() map[string]Service {
	return map[string]Service{
		"ssh":    {Product: "OpenSSH", Greeting: "SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3\r\n"},
		"ftp":    {Product: "vsftpd", Greeting: "220 (vsFTPd 3.0.3)\r\n", Answer: always("530 Please login with USER and PASS.\r\n")},
		"smtp":   {Product: "Postfix smtpd", Greeting: "220 mail.example.org ESMTP Postfix (Debian/GNU)\r\n", Answer: smtp},
		"http":   {Product: "nginx", Answer: http},
		"redis":  {Product: "Redis key-value store", Answer: redis},
		"mysql":  {Product: "MySQL", Greeting: mysql},
		"silent": {},
	}
}

func always(reply string) func(string) (string, bool) {
	return func(string) (string, bool) { return reply, false }
}

func smtp(request string) (string, bool) {
	if strings.HasPrefix(strings.ToUpper(request), "QUIT") {
		return "221 2.0.0 Bye\r\n", true
	}
	return "250 mail.example.org\r\n", false
}

func http(request string) (string, bool) {
	if strings.TrimSpace(request) == "" {
		return "", false // the request is still to come
	}
	if strings.Contains(request, " HTTP/1.") {
		return "HTTP/1.1 200 OK\r\nServer: nginx/1.22.1\r\nContent-Type: text/html\r\nContent-Length: 15\r\nConnection: close\r\n\r\n<p>OwnMap's lab", true
	}
	return "HTTP/1.1 400 Bad Request\r\nServer: nginx/1.22.1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", true
}

func redis(request string) (string, bool) {
	words := strings.Fields(request)
	switch {
	case strings.Contains(strings.ToLower(request), "info"):
		return "$53\r\n# Server\r\nredis_version:7.0.15\r\nos:Linux 6.1.0 x86_64\r\n\r\n", false
	case len(words) == 0 || request[0] == '*' || request[0] == '$':
		return "", false
	case strings.EqualFold(words[0], "get"): // a web browser's request too
		return "-ERR wrong number of arguments for 'get' command\r\n", false
	}
	return "-ERR unknown command '" + words[0] + "', with args beginning with: \r\n", false
}

// mysql is the first packet of MySQL's protocol, version 10: the server's version, a thread and a salt.
const mysql = "J\x00\x00\x00\x0a8.0.36\x00\x08\x00\x00\x00abcdefgh\x00\xff\xff\xff\x02\x00\xff\xdf\x15" +
	"\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00ijklmnopqrst\x00mysql_native_password\x00"
