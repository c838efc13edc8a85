package persist

import (
	"context"
	"crypto/sha256"
	"fmt"
	"maps"
	"slices"

	"github.com/jackc/pgx/v5/pgtype"

	"ownmap/pipeline/state"
	"ownmap/queries"
)

// uuidOf is a fingerprint as the database has it: the same 16 bytes.
func uuidOf(f state.Fingerprint) pgtype.UUID { return pgtype.UUID{Bytes: f, Valid: true} }

// serviceOf is a row of fingerprint as a service.
func serviceOf(f queries.Fingerprint) state.Service {
	service := state.Service{
		Name: f.Service, Product: f.Product, Version: f.Version, ExtraInfo: f.ExtraInfo, Tunnel: f.Tunnel, Probed: f.Probed,
	}
	if len(f.Cpe) > 0 {
		service.CPE = f.Cpe
	}
	return service
}

// services loads the services of fingerprints: few thousand even of a large
// network, so that rows of ports need not repeat them.
func services(ctx context.Context, q *queries.Queries, ids []pgtype.UUID) (map[pgtype.UUID]state.Service, error) {
	seen := make(map[pgtype.UUID]state.Service)
	for _, id := range ids {
		if id.Valid {
			seen[id] = state.Service{}
		}
	}
	rows, err := q.Fingerprints(ctx, slices.Collect(maps.Keys(seen)))
	if err != nil {
		return nil, fmt.Errorf("read fingerprints: %w", err)
	}
	for _, row := range rows {
		seen[row.ID] = serviceOf(row)
	}
	return seen, nil
}

// vantageIDs returns the numbers of vantages, and gives one to each new name.
func vantageIDs(ctx context.Context, q *queries.Queries, names ...string) (map[string]int16, error) {
	if err := q.AddVantages(ctx, names); err != nil {
		return nil, fmt.Errorf("add vantages: %w", err)
	}
	rows, err := q.Vantages(ctx)
	if err != nil {
		return nil, fmt.Errorf("read vantages: %w", err)
	}
	ids := make(map[string]int16, len(rows))
	for _, row := range rows {
		ids[row.Name] = row.ID
	}
	return ids, nil
}

// vantageNames returns the names of all vantages by number.
func vantageNames(ctx context.Context, q *queries.Queries) (map[int16]string, error) {
	rows, err := q.Vantages(ctx)
	if err != nil {
		return nil, fmt.Errorf("read vantages: %w", err)
	}
	names := make(map[int16]string, len(rows))
	for _, row := range rows {
		names[row.ID] = row.Name
	}
	return names, nil
}

// portSetIDs returns the numbers of port sets by their canonical text, and
// gives one to each new set.
func portSetIDs(ctx context.Context, q *queries.Queries, sets []state.PortSet) (map[string]int64, error) {
	hashes := make(map[string]string) // of each canonical text
	for _, set := range sets {
		text := set.String()
		if _, known := hashes[text]; !known {
			hash := sha256.Sum256([]byte(text))
			hashes[text] = string(hash[:])
		}
	}
	add := queries.AddPortSetsParams{}
	for _, text := range slices.Sorted(maps.Keys(hashes)) { // one order for all: no deadlock
		add.Ports = append(add.Ports, text)
		add.Hashes = append(add.Hashes, []byte(hashes[text]))
	}
	if err := q.AddPortSets(ctx, add); err != nil {
		return nil, fmt.Errorf("add port sets: %w", err)
	}
	rows, err := q.PortSetIDs(ctx, add.Hashes)
	if err != nil {
		return nil, fmt.Errorf("read port sets: %w", err)
	}
	byHash := make(map[string]int64, len(rows))
	for _, row := range rows {
		byHash[string(row.Hash)] = row.ID
	}
	ids := make(map[string]int64, len(hashes))
	for text, hash := range hashes {
		ids[text] = byHash[hash]
	}
	return ids, nil
}
