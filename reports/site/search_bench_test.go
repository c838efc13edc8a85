package site

import (
	"path/filepath"
	"testing"

	"ownmap/pipeline/lab/browser"
	"ownmap/pipeline/lab/demo"
)

// BenchmarkSearch searches 10,000 hosts in a real Chromium from the disk: one letter after
// the other of a host's name, with the results on the page, and an address.
func BenchmarkSearch(b *testing.B) {
	d := demo.Large(benchHosts, 5, 1)
	dir := filepath.Join(b.TempDir(), "archive")
	if err := New(Options{Dir: dir, Source: d}).Build(b.Context()); err != nil {
		b.Fatal(err)
	}
	p := browser.Start(b).Open(b, "file://"+filepath.Join(dir, "index.html"), browser.View{})
	const typed = `new Promise(done => {
		const input = document.getElementById("search"), status = document.querySelector("#found [role=status]");
		const type = text => { const begin = performance.now(); input.value = text; input.dispatchEvent(new Event("input")); document.body.offsetHeight; return performance.now() - begin; };
		type("host");
		const wait = () => {
			if (!/^\d+ hosts/.test(status.textContent) || /still/.test(status.textContent)) { return setTimeout(wait, 20); }
			const texts = [];
			for (let n = 1; n <= "host-7777.example.org".length; n++) { texts.push("host-7777.example.org".slice(0, n)); }
			const times = texts.concat("10.0.30.97", "nginx team-7", "no such thing").map(type);
			if (!status.textContent.startsWith("No host")) { return done(-1); }
			done(Math.max(...times));
		};
		wait();
	})`
	worst := 0.0
	for b.Loop() {
		ms := browser.Eval[float64](b, p, typed)
		if ms < 0 {
			b.Fatal("the search finds what is not there")
		}
		worst = max(worst, ms)
	}
	b.ReportMetric(worst, "worst-ms")
}
