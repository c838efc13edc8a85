package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"ownmap/pipeline/persist/private"
)

// bench is one measurement.
type bench struct {
	program      string
	hosts, ports int
	clients      int
	each         time.Duration
	bulk         int
	only         string
	dir          string
}

// page is what is asked for: addresses of one kind, relative to the page's.
type page struct {
	name  string
	paths []string
}

// pages are what an administrator opens, with the filters, orders and far pages that cost
// most.
func (b *bench) pages(addresses []string) []page {
	filter := func(path string, texts ...string) []string {
		var paths []string
		for _, text := range texts {
			paths = append(paths, path+"?filter="+url.QueryEscape(text))
		}
		return paths
	}
	var hosts []string
	for _, address := range addresses {
		hosts = append(hosts, "hosts/"+address)
	}
	return []page{
		{"overview", []string{""}},
		{"ports", []string{"ports"}},
		{"ports, far pages", []string{"ports?page=100", "ports?page=5000", "ports?page=10000", "ports?page=20000"}},
		{"ports, sorted", []string{"ports?sort=port", "ports?sort=age", "ports?sort=service", "ports?sort=owner", "ports?sort=age&descending=true", "ports?sort=port&page=9000"}},
		{"ports, filtered", filter("ports", "unapproved", "22/tcp", "10.16.0.0/18", "tag:prod service:ssh unapproved", "-service:http 1-1024/tcp", "older:7d unapproved", "nginx", "drifted", "stale", "new")},
		{"ports, narrow", filter("ports", addresses[0], addresses[1]+" unapproved", "web-1*", "no-such-thing")},
		{"hosts", []string{"hosts", "hosts?page=200", "hosts?sort=unapproved", "hosts?sort=open&page=100", "hosts?sort=owner"}},
		{"hosts, filtered", filter("hosts", "tag:prod", "10.16.64.0/18", "service:ssh", "down", "web-*")},
		{"one host", hosts},
		{"approvals", []string{"approvals", "approvals?page=100"}},
		{"audit", []string{"audit"}},
		{"runs", []string{"runs"}},
		{"targets", []string{"targets"}},
		{"settings", []string{"settings"}},
		{"scan", []string{"scan"}},
		{"deliveries", []string{"deliveries"}},
		{"API, ports", []string{"api/v1/ports?filter=unapproved", "api/v1/ports?page=5000"}},
		{"API, hosts", []string{"api/v1/hosts", "api/v1/status"}},
	}
}

func (b *bench) measure(ctx context.Context) (err error) {
	// Without a log: what PostgreSQL says of its start is nothing to read here.
	server, err := private.Start(ctx, b.dir, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	defer func() {
		stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
		defer cancel()
		err = errors.Join(err, server.Stop(stopping))
	}()
	began := time.Now()
	addresses, err := b.fill(ctx, server.URL())
	if err != nil {
		return err
	}
	fmt.Printf("%d hosts and %d ports in the database after %.0f s\n", b.hosts, b.ports, time.Since(began).Seconds())
	base, token, stop, err := b.serve(ctx, server.URL())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stop()) }()

	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: b.clients}}
	began = time.Now()
	if _, err := get(ctx, client, token, base+"ports"); err != nil {
		return err
	}
	fmt.Printf("first page %.1f s after the start of the program\n", time.Since(began).Seconds())
	fmt.Printf("\n%-18s %9s %9s %9s %9s %9s %9s\n", "page", "requests", "1 client", "median", "p95", "worst", "KiB")
	for _, p := range b.pages(addresses) {
		if !strings.Contains(p.name, b.only) {
			continue
		}
		var full []string
		for _, path := range p.paths {
			full = append(full, base+path)
		}
		alone, err := ask(ctx, client, token, full, 1, b.each/5)
		if err != nil {
			return err
		}
		all, err := ask(ctx, client, token, full, b.clients, b.each)
		if err != nil {
			return err
		}
		fmt.Printf("%-18s %9d %6.1f ms %6.1f ms %6.1f ms %6.1f ms %9.1f\n", p.name, len(all.times), ms(alone.at(0.5)), ms(all.at(0.5)), ms(all.at(0.95)), ms(all.at(1)), float64(all.bytes)/1024)
	}
	return b.approve(ctx, client, base, token)
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// approve approves many ports at once, by a filter that finds as many as that.
func (b *bench) approve(ctx context.Context, client *http.Client, base, token string) error {
	body, err := json.Marshal(map[string]string{"filter": b.bulkFilter() + " unapproved", "reason": "bench"})
	if err != nil {
		return err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, base+"api/v1/approvals", bytes.NewReader(body))
	if err != nil {
		return err
	}
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("Content-Type", "application/json")
	began := time.Now()
	response, err := client.Do(r)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		return errors.Join(err, fmt.Errorf("approve: %s: %.200s", response.Status, text))
	}
	took := time.Since(began)
	var approvals []struct{}
	if err := json.Unmarshal(text, &approvals); err != nil {
		return err
	}
	fmt.Printf("\n%d ports approved by the filter %q in %.2f s\n", len(approvals), b.bulkFilter()+" unapproved", took.Seconds())
	return nil
}

// serve starts the program and returns its address and a token to use it.
func (b *bench) serve(ctx context.Context, database string) (base, token string, stop func() error, err error) {
	config := filepath.Join(b.dir, "ownmap.yaml")
	text := fmt.Sprintf("database: {url: %q}\nstate_dir: %q\nweb: {listen: \"127.0.0.1:0\"}\n", database, filepath.Join(b.dir, "state"))
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		return "", "", nil, err
	}
	out, err := exec.CommandContext(ctx, b.program, "--config", config, "tokens", "create", "bench", "--role", "admin").Output() //nolint:gosec // the program that is measured
	if err != nil {
		return "", "", nil, fmt.Errorf("make a token: %w", err)
	}
	words := strings.FieldsSeq(string(out))
	for word := range words {
		if strings.HasPrefix(word, "ownmap_") {
			token = word
		}
	}
	program := exec.CommandContext(ctx, b.program, "--config", config, "serve", "--no-worker") //nolint:gosec // the program that is measured
	lines, err := program.StderrPipe()
	if err != nil {
		return "", "", nil, err
	}
	if err := program.Start(); err != nil {
		return "", "", nil, err
	}
	stop = func() error {
		return errors.Join(program.Process.Signal(syscall.SIGTERM), program.Wait())
	}
	if base, err = addressOf(lines); err != nil {
		return "", "", nil, errors.Join(err, stop())
	}
	return base, token, stop, nil
}
