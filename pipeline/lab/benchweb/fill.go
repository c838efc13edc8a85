package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"ownmap/pipeline/lab"
	"ownmap/pipeline/persist"
)

// fill makes the database and returns the addresses of some of its hosts.
func (b *bench) fill(ctx context.Context, url string) ([]string, error) {
	if err := persist.Migrate(ctx, url); err != nil {
		return nil, err
	}
	bulk := lab.Million(time.Now().Add(-5 * time.Hour))
	bulk.Hosts, bulk.Ports = b.hosts, b.ports/b.hosts
	if err := bulk.Fill(ctx, url); err != nil {
		return nil, err
	}
	var addresses []string
	for i := range 200 {
		addresses = append(addresses, fmt.Sprintf("10.16.%d.%d", i*7%min(200, b.hosts/250), 1+i))
	}
	return addresses, nil
}

// bulkFilter finds some more than 10,000 unapproved ports among a million: those of 2,000
// hosts.
func (*bench) bulkFilter() string { return "10.16.0.0/21" }

// addressOf returns the address of the page, which the program prints when it listens, and
// has the rest of what it prints thrown away.
func addressOf(lines io.Reader) (string, error) {
	scanner := bufio.NewScanner(lines)
	for scanner.Scan() {
		if i := strings.Index(scanner.Text(), "http://"); i >= 0 {
			address, _, _ := strings.Cut(scanner.Text()[i:], " ")
			go io.Copy(io.Discard, lines) //nolint:errcheck // nobody reads it
			return strings.TrimRight(address, "/,") + "/", nil
		}
	}
	return "", errors.Join(errors.New("the program did not say where it listens"), scanner.Err())
}
