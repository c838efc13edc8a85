package web

import (
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"ownmap/pipeline/lab/booklab"
	"ownmap/pipeline/lab/demo"
	"ownmap/pipeline/state"
)

// TestHostileTextIsText holds that whatever hosts send and people type, into filters too, is
// text on every page of ports, hosts and approvals.
func TestHostileTextIsText(t *testing.T) {
	t.Parallel()
	book := booklab.Open(t)
	corpus := slices.DeleteFunc(demo.Corpus(), func(text string) bool { return strings.ContainsRune(text, 0) || strings.ToValidUTF8(text, "") != text })
	address := netip.MustParseAddr("10.9.0.0")
	var hosts []state.Host
	var addresses []string
	for i, text := range corpus {
		address = address.Next()
		sent := state.Clean(text)
		odd := state.PortStatus{Port: state.Port{Protocol: state.TCP, Number: 80}, State: state.Open, Service: state.Service{Name: sent, Product: sent, Version: sent, ExtraInfo: sent, Probed: true}}
		host := booklab.Up(address.String(), sent, booklab.Port(22, "ssh", "OpenSSH", "9"), odd)
		hosts, addresses = append(hosts, host), append(addresses, address.String())
		if i%8 == 0 {
			booklab.Targets(t, book, text, []string{state.Clean(text)}, address.String())
		}
	}
	booklab.Night(t, book, hosts...)
	for i, text := range corpus {
		if i%8 != 0 {
			continue
		}
		grant := state.Grant{By: "by " + text, Reason: text, Via: "web", Scope: state.Scope{Hosts: []string{addresses[i]}, Ports: []state.Port{{Protocol: state.TCP, Number: 80}}}}
		if _, err := book.Approve(t.Context(), grant); err != nil {
			t.Fatal(err)
		}
		if _, err := book.AddNote(t.Context(), netip.MustParseAddr(addresses[i]), "note "+text[:min(len(text), 200)], state.Actor{Name: text, Via: "web"}); err != nil && strings.TrimSpace(text) != "" && strings.ToValidUTF8(text[:min(len(text), 200)], "") == text[:min(len(text), 200)] {
			t.Fatal(err)
		}
		hosts[i].Ports[1].Service.Name, hosts[i].Ports[1].Service.Product = "drift", "drift" // so that half of them drift
	}
	booklab.Night(t, book, hosts...)
	p := over(t, book, func(o *Options) { o.Explain = explained })
	paths := []string{
		"/", "/ports?limit=1000", "/hosts?limit=1000", "/approvals", "/approvals?show=drifted", "/approvals?show=ended", "/audit", "/approve?filter=unapproved", "/revoke?filter=approved",
	}
	for i := 0; i < len(addresses); i += 16 {
		paths = append(paths, "/hosts/"+addresses[i])
	}
	for i, text := range demo.Corpus() {
		switch typed := url.QueryEscape(text); i % 6 {
		case 0:
			paths = append(paths, "/ports?filter="+typed)
		case 1:
			paths = append(paths, "/hosts?filter="+typed+"&sort=owner")
		case 2:
			paths = append(paths, "/approvals?by="+typed+"&host="+typed)
		case 3:
			paths = append(paths, "/audit?actor="+typed+"&subject="+typed)
		case 4:
			paths = append(paths, "/approve?filter="+typed+"&reason="+typed+"&back="+typed, "/approve?pick="+typed)
		case 5:
			paths = append(paths, "/revoke?pick="+typed+"&back="+typed, "/hosts/"+url.PathEscape(text))
		}
	}
	for _, path := range paths {
		response, body := p.ask(t, state.Admin, "GET", path, nil)
		if response.StatusCode >= 500 {
			t.Errorf("%s: %d", path, response.StatusCode)
		}
		for _, fault := range harm(t, body) {
			t.Errorf("%s: %s", path, fault)
		}
	}
}

// harm returns what a page has that it should not have: scripts but its own, handlers,
// styles, elements that no template has, links that lead away, characters that hide.
func harm(t *testing.T, body string) (faults []string) {
	t.Helper()
	if visible := state.Visible(body); visible != body {
		faults = append(faults, "characters hide in it")
	}
	page, err := html.Parse(strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	known := strings.Fields(`html head meta title link script body a header div nav ul li form button main p span strong h1 h2 h3 section dl dt dd code b br
		table caption thead tbody tfoot tr th td input label details summary time svg path circle g text line desc rect polygon figure article textarea select option datalist dialog kbd footer pre small fieldset legend noscript progress`)
	for n := range page.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		if !slices.Contains(known, n.Data) {
			faults = append(faults, "the element "+n.Data)
		}
		for _, a := range n.Attr {
			switch {
			case strings.HasPrefix(a.Key, "on"), a.Key == "style", a.Key == "srcdoc":
				faults = append(faults, fmt.Sprintf("<%s %s>", n.Data, a.Key))
			case slices.Contains([]string{"href", "src", "action", "formaction"}, a.Key) && a.Val != "data:,":
				if u, err := url.Parse(a.Val); err != nil || u.Scheme != "" || u.Host != "" || !strings.HasPrefix(a.Val, "/") && !strings.HasPrefix(a.Val, "#") {
					faults = append(faults, fmt.Sprintf("<%s %s=%q>", n.Data, a.Key, a.Val))
				}
			}
		}
		if n.Data == "script" && n.FirstChild != nil {
			faults = append(faults, "a script in the page")
		}
	}
	return faults
}
