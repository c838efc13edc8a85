package web

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"golang.org/x/crypto/bcrypt"

	"ownmap/pipeline/lab/booklab"
	"ownmap/pipeline/lab/browser"
	"ownmap/pipeline/lab/demo"
	"ownmap/pipeline/persist"
	"ownmap/pipeline/state"
	"ownmap/reports/web/access"
)

// stranger lets everybody in, as an admin of a name that no user may have, but that a
// provider or a proxy could send.
type stranger string

// Identify returns that admin.
func (s stranger) Identify(*http.Request) (state.Identity, bool, error) {
	return state.Identity{Name: state.Clean(string(s)), Role: state.Admin, Via: "session"}, true, nil
}

// haunted starts the page over a book in which these texts stand wherever a text can stand
// that was typed, sent by a host, or answered by a server: also where the forms of the page
// take no such text.
func haunted(t *testing.T, texts ...string) pages {
	t.Helper()
	ctx, book, name := t.Context(), booklab.Open(t), texts[0]
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	address := netip.MustParseAddr("10.9.0.0")
	var hosts []state.Host
	var channels []Channel
	for i, text := range texts {
		address = address.Next()
		sent, by := state.Clean(text), state.Actor{Name: "by " + text, Via: "web"}
		odd := state.PortStatus{Port: state.Port{Protocol: state.TCP, Number: 80}, State: state.Open, Service: state.Service{Name: sent, Product: sent, Version: sent, ExtraInfo: sent, Probed: true}}
		hosts = append(hosts, booklab.Up(address.String(), sent, booklab.Port(22, "ssh", "OpenSSH", "9"), odd))
		booklab.Targets(t, book, sent, []string{sent}, address.String())
		_, err := book.Request(ctx, state.ScanRequest{Only: []string{sent}, By: by.Name, Via: "web"})
		must(err)
		channels = append(channels, Channel{Name: sent, Type: sent, Recipients: []string{sent}})
		must(book.TestMessages(ctx, by, func(id string) []state.Delivery {
			return []state.Delivery{{MessageID: state.DeliveryID(id, "x", "c"+strconv.Itoa(i), sent, ""), Kind: state.MessageTest, Channel: sent + strconv.Itoa(i), Recipient: sent, Title: sent, Lines: []string{sent}, CreatedAt: time.Now(), DueAt: time.Now()}}
		}))
		_, err = book.Deliver(ctx, sent+strconv.Itoa(i), time.Now().Add(time.Second), func(context.Context, string, state.Delivery) state.Settlement {
			return state.Settlement{At: time.Now(), Parked: i%2 == 0, NextAt: time.Now().Add(time.Hour), Error: sent}
		})
		must(err)
		_, err = book.AddAPIToken(ctx, fmt.Appendf(nil, "%032d", i), state.APIToken{Name: sent + strconv.Itoa(i), Role: state.Viewer, By: state.Clean(name), CreatedAt: time.Now()}, by)
		must(err)
		_, err = book.AddUser(ctx, state.User{Name: sent + strconv.Itoa(i), PasswordHash: state.NewSecret("x"), Role: state.Viewer}, false, time.Now(), by)
		must(err)
		for key, value := range map[state.SettingKey]map[string]any{
			state.SettingExclude: {"reason": sent},
			state.SettingWindow:  {"when": "0 22 * * 6", "for": "4h", "quiet": false, "tags": []string{sent}, "owners": []string{sent}, "hosts": []string{address.String()}},
			state.SettingProfile: {"ports": "22", "udp": "", "services": true, "timing": 3, "version_intensity": 7, "scripts": []string{sent}},
		} {
			called := sent + strconv.Itoa(i)
			if key == state.SettingExclude {
				called = address.Next().String() // the hosts themselves are scanned
			}
			written, err := json.Marshal(value)
			must(err)
			must(book.Set(ctx, state.SettingChange{Key: key, Name: called, Value: written, By: by}))
		}
	}
	booklab.Night(t, book)
	booklab.Night(t, book, hosts...)
	address = netip.MustParseAddr("10.9.0.0")
	for i, text := range texts {
		address = address.Next()
		grant := state.Grant{By: "by " + text, Reason: text, Via: "web", Scope: state.Scope{Hosts: []string{address.String()}, Ports: []state.Port{{Protocol: state.TCP, Number: 80}}}}
		_, err := book.Approve(ctx, grant)
		must(err)
		_, err = book.AddNote(ctx, address, "note "+text, state.Actor{Name: "by " + text, Via: "web"})
		must(err)
		_, err = book.Snooze(ctx, address.String(), []state.Port{{Protocol: state.TCP, Number: 22}}, state.Snooze{Reason: "because " + text, By: "by " + text, Via: "web", Until: time.Now().AddDate(0, 0, 9)})
		must(err)
		if i%2 == 0 {
			hosts[i].Ports[1].Service.Name, hosts[i].Ports[1].Service.Product = "drift", "drift"
		}
	}
	booklab.Night(t, book, hosts...)
	spec, err := state.ParseSpec("10.9.0.1")
	must(err)
	_, err = book.AskTargetTest(ctx, spec, state.DefaultVantage, state.Actor{Name: name, Via: "web"})
	must(err)
	for part, err := book.NextTargetTest(ctx, state.DefaultVantage); part != nil; part, err = book.NextTargetTest(ctx, state.DefaultVantage) {
		must(err)
		for _, text := range texts {
			part.Steps = append(part.Steps, state.TestStep{Name: state.StepAnswer, Address: &address, Outcome: state.TestFailed, Says: state.Clean(text), Remedy: state.Clean(text)})
		}
		must(book.FinishTargetTest(ctx, *part))
	}
	p := over(t, book, func(o *Options) {
		operations(t, o)
		o.Gate, o.Guard, o.Explain = stranger(name), access.New(access.Options{Store: o.Book.(*persist.Book), Cost: bcrypt.MinCost}), explained //nolint:forcetypeassert // over was given it
		o.Channels = channels
		o.Workers = func(context.Context) ([]Worker, error) {
			return []Worker{{state.Clean(name), state.Clean(name), state.Clean(name), false}}, nil
		}
		o.Compare = func(context.Context, int64, int64) (state.Comparison, error) {
			c := state.Comparison{A: state.Clean(name), B: state.Clean(name)}
			for _, text := range texts {
				c.Changes = append(c.Changes, state.Change{Kind: state.PortOpened, Port: state.Port{Protocol: state.TCP, Number: 80}, Name: state.Clean(text)})
			}
			return c, nil
		}
	})
	begun(t, p)
	_, err = book.Cancel(ctx, name)
	must(err)
	return p
}

// hauntedPaths are pages of each kind, by what they are, with a text wherever an address can
// have one.
func hauntedPaths(t *testing.T, p pages, text string) map[string]string {
	t.Helper()
	rows, err := deskOf(p.book).Targets(t.Context())
	if err != nil || len(rows) == 0 {
		t.Fatalf("%d targets, %v", len(rows), err)
	}
	typed, set, target := url.QueryEscape(text), url.QueryEscape(state.Clean(text)+"0"), fmt.Sprintf("/targets/%d", rows[0].ID)
	return map[string]string{
		"overview": "/", "ports": "/ports?limit=1000", "ports-filter": "/ports?filter=" + typed, "hosts": "/hosts?limit=1000", "host": "/hosts/10.9.0.1",
		"approve": "/approve?filter=unapproved&reason=" + typed + "&back=" + typed, "revoke": "/revoke?filter=approved&back=" + typed, "approvals": "/approvals", "drifted": "/approvals?show=drifted",
		"ended": "/approvals?show=ended&by=" + typed, "audit": "/audit", "audit-of": "/audit?actor=" + typed + "&subject=" + typed + "&action=" + typed,
		"runs": "/runs", "run": "/runs/3", "run-first": "/runs/2", "run-failed": "/runs/4", "compare": "/compare?a=2&b=3", "compare-none": "/compare?a=" + typed + "&b=" + typed,
		"scan": "/scan?only=" + typed, "cancel": "/scan/cancel?request=1", "deliveries": "/deliveries", "drop": "/deliveries/drop?id=1",
		"targets": "/targets?q=" + typed, "targets-all": "/targets", "target": target, "target-remove": target + "/remove", "import": "/targets/import", "test": "/tests/1",
		"exclusion-remove": "/exclusions/remove?exclude=" + typed + "&version=1",
		"settings":         "/settings?schedule=" + typed, "profile": "/settings/profile?name=" + set, "profile-none": "/settings/profile?name=" + typed, "profile-new": "/settings/profile",
		"profile-remove": "/settings/profile/remove?name=" + set, "window": "/settings/window?name=" + set, "window-new": "/settings/window", "window-remove": "/settings/window/remove?name=" + set,
		"users": "/users", "account": "/account?x=" + typed, "login": "/login?next=" + typed, "signin": "/signin/" + url.PathEscape(text), "link": "/a/" + url.PathEscape(text),
		"none": "/nothing/" + url.PathEscape(text), "no-run": "/runs/" + url.PathEscape(text), "no-host": "/hosts/" + url.PathEscape(text), "no-test": "/tests/" + url.PathEscape(text),
	}
}

// refusedForms are forms whose pages come back with what was typed, by address.
func refusedForms(text string) map[string]url.Values {
	form := func(names ...string) url.Values {
		values := url.Values{}
		for _, name := range names {
			values.Set(name, text)
		}
		return values
	}
	return map[string]url.Values{
		"/targets": form("targets", "tags", "owner", "profile", "vantage", "exclude", "look", "user", "port"), "/targets/import": form("text"), "/exclusions": form("exclude", "reason"), "/tests": form("target", "vantage"),
		"/scan": form("only"), "/scan/cancel": form("run", "request"), "/settings/schedule": form("schedule", "version"), "/settings/remind": {"how": {"ages"}, "ages": {text}},
		"/settings/profile": form("name", "new", "ports", "udp", "scripts", "version"), "/settings/window": form("name", "new", "kind", "when", "for", "tags", "owners", "hosts", "version"),
		"/users": form("name", "role", "password", "again"), "/account/tokens": form("name", "role", "expires"), "/users/role": {"name": {text}, "role": {"viewer"}}, "/users/disable": form("name"), "/users/enable": form("name"), "/users/password": form("name", "password"), "/account/password": form("present", "password", "again"), "/login": form("name", "password", "next"), "/deliveries/test": form("channel"), "/deliveries/drop": form("id"),
		"/approve": form("filter", "reason", "until", "digest", "back", "shown"), "/approve/one": form("one", "reason", "back"), "/revoke": form("ids", "reason", "digest", "back"),
		"/hosts/10.9.0.1/notes": {"note": {strings.Repeat(text+" x", 2000)}}, "/hosts/10.9.0.1/snooze": form("ports", "until", "reason"), "/a/x": form("seen", "reason", "until"),
	}
}

// TestHostileTextIsTextEverywhere holds that hostile text is text on the pages of all kinds,
// and on those that come back with a form that was refused.
func TestHostileTextIsTextEverywhere(t *testing.T) {
	t.Parallel()
	corpus := slices.DeleteFunc(demo.Corpus(), func(text string) bool {
		return strings.ContainsRune(text, 0) || strings.ToValidUTF8(text, "") != text || len(text) > 200 || strings.TrimSpace(state.Clean(text)) == ""
	})
	var some []string
	for i := 0; i < len(corpus); i += 4 {
		some = append(some, corpus[i])
	}
	p := haunted(t, append([]string{`"><script>alert(1)</script>`}, some...)...)
	look := func(at string, response *http.Response, body string) {
		t.Helper()
		if response.StatusCode >= 500 {
			t.Errorf("%s: %d", at, response.StatusCode)
		}
		if !strings.Contains(response.Header.Get("Content-Type"), "text/html") {
			return
		}
		for _, fault := range harm(t, body) {
			t.Errorf("%s: %s", at, fault)
		}
	}
	for i, text := range demo.Corpus() {
		for kind, path := range hauntedPaths(t, p, text) {
			if i > 0 && !strings.Contains(strings.ToLower(path), "%") {
				continue // it has the text in the book, not in its address
			}
			if i > 0 && (i+len(kind))%8 != 0 {
				continue // each text meets some pages, each page meets some texts
			}
			response, body := p.ask(t, state.Admin, "GET", path, nil)
			look(path, response, body)
		}
		for path, form := range refusedForms(text) {
			if no := !utf8.ValidString(text) || strings.ContainsRune(text, 0); !no && (i+len(path))%8 != 0 {
				continue // what PostgreSQL takes for no text is sent everywhere
			}
			response, body := p.ask(t, state.Admin, "POST", path, form)
			look(fmt.Sprintf("POST %s of %q", path, text), response, body)
		}
	}
	csv := "target,tags,owner\n10.8.0.1,\"" + `<script>alert(1)</script>` + "\",\"<img src=x onerror=alert(1)>\"\n"
	look("preview", nil200(), p.upload(t, 200, nil, csv))
	look("mistakes", nil200(), p.upload(t, 422, nil, "target,tags\n<svg onload=alert(1)>,\"'><b>\"\n"))
}

func nil200() *http.Response {
	return &http.Response{StatusCode: 200, Header: http.Header{"Content-Type": {"text/html"}}}
}

// TestEveryPageInBrowser looks at a page of each kind with hostile text wherever there can be
// some, and wants no script to run, no dialog, no violation of the policy, nothing said on the
// console. Kinds that no other test looks at are looked at light, dark and narrow, for
// what axe has to say.
func TestEveryPageInBrowser(t *testing.T) { //nolint:tparallel // one tab at a time: the machine is small
	t.Parallel()
	p := haunted(t, hostile, `<b>x</b>`)
	tab := browser.Start(t).Open(t, "about:blank", browser.View{})
	const elsewhere = "overview ports hosts host approve revoke approvals drifted ended audit runs run run-failed compare scan cancel deliveries users account login link"
	paths := hauntedPaths(t, p, hostile)
	views := map[string][]string{"light": nil, "dark": nil, "narrow": append(strings.Fields(elsewhere), "profile", "window")}
	for name := range views {
		views[name] = append(views[name], "targets-all", "target", "import", "test", "settings", "profile-new", "window-new", "none")
	}
	looks := map[string]browser.View{"light": {}, "dark": {Dark: true}, "narrow": {Width: 390}}
	for name, kinds := range views {
		for _, kind := range kinds {
			t.Run(kind+"-"+name, func(t *testing.T) {
				tab.Show(t, p.URL+paths[kind], looks[name])
				tame(t, tab)
				if !slices.Contains(strings.Fields(elsewhere), kind) {
					for _, line := range tab.Axe(t) {
						t.Error(line)
					}
				}
				if wide := tab.Overflow(t); wide > 0 {
					t.Errorf("%d pixels too wide", wide)
				}
			})
		}
	}
}

// tame holds that nothing of a page ran that is not ours.
func tame(t *testing.T, tab *browser.Page) {
	t.Helper()
	if title := browser.Eval[string](t, tab, "document.title"); title == "broken" || title == "" {
		t.Errorf("the title is %q", title)
	}
	if n := browser.Eval[int](t, tab, `document.querySelectorAll("main script, main img").length`); n > 0 {
		t.Errorf("%d elements of somebody else", n)
	}
	for _, line := range tab.Messages() {
		if !strings.Contains(line, "the server responded with a status of 4") {
			t.Error(line)
		}
	}
}
