package persist

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/netip"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"

	"ownmap/pipeline/state"
	"ownmap/queries"
)

// AddNote adds a note to the host of an address: 1 to state.MaxNote characters, of several
// lines if need be. It is audited.
func (b *Book) AddNote(ctx context.Context, address netip.Addr, text string, by state.Actor) (state.Note, error) {
	note := state.Note{Address: address.Unmap(), By: state.Clean(by.Name), Text: strings.TrimSpace(strings.ReplaceAll(text, "\r\n", "\n"))}
	switch {
	case note.By == "":
		return note, errors.New("note: the author is missing")
	case note.Text == "" || !utf8.ValidString(note.Text) || strings.ContainsRune(note.Text, 0) || utf8.RuneCountInString(note.Text) > state.MaxNote:
		return note, fmt.Errorf("note: it has to be a text of 1 to %d characters", state.MaxNote)
	}
	err := b.inTx(ctx, func(q *queries.Queries) error {
		var err error
		if note.HostID, err = hostOf(ctx, q, note.Address); err != nil {
			return err
		}
		row, err := q.AddNote(ctx, queries.AddNoteParams{HostID: note.HostID, By: note.By, Note: note.Text})
		if err != nil {
			return err
		}
		note.ID, note.At = row.ID, row.At
		line := auditOf(by, "note")
		if err := line.add(note.Address.String(), map[string]string{"note": strconv.FormatInt(note.ID, 10), "text": state.OneLine(note.Text, 200)}); err != nil {
			return err
		}
		return line.write(ctx, q)
	})
	if err != nil {
		return state.Note{}, fmt.Errorf("note: %w", err)
	}
	return note, nil
}

// Notes returns the newest notes of the host of an address, newest first.
func (b *Book) Notes(ctx context.Context, address netip.Addr, limit int) ([]state.Note, error) {
	rows, err := b.q.NotesOfHost(ctx, queries.NotesOfHostParams{Address: address.Unmap(), Most: int32(min(max(limit, 0), math.MaxInt32))})
	if err != nil {
		return nil, fmt.Errorf("read notes: %w", err)
	}
	list := make([]state.Note, len(rows))
	for i, row := range rows {
		list[i] = state.Note{ID: row.ID, HostID: row.HostID, Address: row.Address, At: row.At, By: row.By, Text: row.Note}
	}
	return list, nil
}

// VantagesOf returns the vantages that know the host of an address, by name.
func (b *Book) VantagesOf(ctx context.Context, address netip.Addr) ([]string, error) {
	names, err := b.q.VantagesOfAddress(ctx, address.Unmap())
	if err != nil {
		return nil, fmt.Errorf("read vantages: %w", err)
	}
	return names, nil
}

// AddressOf returns the address of a host by its number; the zero Addr if there is none.
func (b *Book) AddressOf(ctx context.Context, host int64) (netip.Addr, error) {
	rows, err := b.q.Addresses(ctx, []int64{host})
	if err != nil {
		return netip.Addr{}, fmt.Errorf("read the address of a host: %w", err)
	}
	for _, row := range rows {
		return row.Address, nil
	}
	return netip.Addr{}, nil
}

// hostOf returns the number of the host of an address.
func hostOf(ctx context.Context, q *queries.Queries, address netip.Addr) (int64, error) {
	id, err := q.HostOfAddress(ctx, address)
	if errors.Is(err, pgx.ErrNoRows) {
		return 0, &UnknownHostError{Host: address.String()}
	}
	return id, err
}
