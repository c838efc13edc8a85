package persist

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"ownmap/pipeline/state"
	"ownmap/queries"
)

// Settings returns what is set on the web page, by key and name.
func (b *Book) Settings(ctx context.Context) ([]state.Setting, error) {
	rows, err := b.q.Settings(ctx)
	if err != nil {
		return nil, fmt.Errorf("read what is set on the web page: %w", err)
	}
	list := make([]state.Setting, len(rows))
	for i, row := range rows {
		list[i] = settingOf(row)
	}
	return list, nil
}

func settingOf(row queries.Setting) state.Setting {
	return state.Setting{Key: state.SettingKey(row.Key), Name: row.Name, Value: row.Value, Version: row.Version, By: row.SetBy, At: row.SetAt}
}

// Set makes a change to what is set on the web page, with what was and what is in the
// audit. Its value is not looked at: package load does that. If somebody else has changed
// the setting since the version of the change it is a state.ChangedError. What is set so
// already stays as it is.
func (b *Book) Set(ctx context.Context, change state.SettingChange) error {
	if change.By.Name = state.Clean(change.By.Name); change.By.Name == "" {
		return errors.New("set: the author is missing")
	}
	err := b.inTx(ctx, func(q *queries.Queries) error {
		key := queries.LockSettingParams{Key: string(change.Key), Name: change.Name}
		row, err := q.LockSetting(ctx, key)
		if err != nil && !errors.Is(err, pgx.ErrNoRows) {
			return err
		}
		was := settingOf(row)
		if was.Version != change.Version {
			return &state.ChangedError{What: change.Setting().Words(), By: was.By, At: was.At}
		}
		if sameJSON(was.Value, change.Value) {
			return nil
		}
		if err := putSetting(ctx, q, was.Version, change); err != nil {
			return err
		}
		return auditSetting(ctx, q, was, change)
	})
	if err != nil {
		return fmt.Errorf("set %s: %w", change.Setting().Label(), err)
	}
	return nil
}

// putSetting stores a change to a setting of a version.
func putSetting(ctx context.Context, q *queries.Queries, version int64, change state.SettingChange) error {
	key, name := string(change.Key), change.Name
	switch {
	case change.Value == nil:
		return q.RemoveSetting(ctx, queries.RemoveSettingParams{Key: key, Name: name})
	case version == 0:
		_, err := q.AddSetting(ctx, queries.AddSettingParams{Key: key, Name: name, Value: change.Value, SetBy: change.By.Name})
		if !errors.Is(err, pgx.ErrNoRows) {
			return err
		}
		row, err := q.LockSetting(ctx, queries.LockSettingParams{Key: key, Name: name})
		if err != nil {
			return err
		}
		return &state.ChangedError{What: change.Setting().Words(), By: row.SetBy, At: row.SetAt}
	}
	_, err := q.ChangeSetting(ctx, queries.ChangeSettingParams{Key: key, Name: name, Value: change.Value, SetBy: change.By.Name})
	return err
}

// auditSetting notes what was set before and what is set now; what was not set is left out.
func auditSetting(ctx context.Context, q *queries.Queries, was state.Setting, change state.SettingChange) error {
	line := auditOf(change.By, "setting")
	detail := map[string]string{"before": compactJSON(was.Value), "after": compactJSON(change.Value)}
	if err := line.add(change.Setting().Label(), detail); err != nil {
		return err
	}
	return line.write(ctx, q)
}

// sameJSON says whether two texts of JSON are the same value; nil is none.
func sameJSON(a, b []byte) bool {
	var x, y any
	if len(a) == 0 || len(b) == 0 || json.Unmarshal(a, &x) != nil || json.Unmarshal(b, &y) != nil {
		return len(a) == 0 && len(b) == 0
	}
	first, _ := json.Marshal(x) // with sorted keys
	second, _ := json.Marshal(y)
	return bytes.Equal(first, second)
}

func compactJSON(text []byte) string {
	var out bytes.Buffer
	if json.Compact(&out, text) != nil {
		return ""
	}
	return out.String()
}
