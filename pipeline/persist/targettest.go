package persist

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"ownmap/pipeline/state"
	"ownmap/queries"
)

// AskTargetTest asks for a test of a target, for workers to do, and returns its number.
func (b *Book) AskTargetTest(ctx context.Context, spec state.Spec, vantage string, by state.Actor) (id int64, err error) {
	err = b.inTx(ctx, func(q *queries.Queries) error {
		if err := q.ForgetTargetTests(ctx); err != nil {
			return err
		}
		id, err = q.AddTargetTest(ctx, queries.AddTargetTestParams{Spec: spec.String(), Vantage: vantage, AskedBy: state.Clean(by.Name), Via: by.Via})
		if err != nil {
			return err
		}
		parts := []queries.AddTargetTestPartParams{
			{TestID: id, Work: string(state.TestReach), Vantage: vantage},
			{TestID: id, Work: string(state.TestInside), Vantage: state.DefaultVantage},
		}
		for _, part := range parts {
			if err := q.AddTargetTestPart(ctx, part); err != nil {
				return err
			}
		}
		return auditTargetDetail(ctx, q, "target-test", spec.String(), map[string]string{"vantage": vantage}, by)
	})
	if err != nil {
		return 0, fmt.Errorf("ask for a test: %w", err)
	}
	return id, nil
}

// NextTargetTest takes the oldest part of a test that waits for a worker of a vantage; nil
// if there is none. Whoever takes it does it and calls FinishTargetTest.
func (b *Book) NextTargetTest(ctx context.Context, vantage string) (*state.TestPart, error) {
	row, err := b.q.TakeTargetTest(ctx, vantage)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return nil, nil //nolint:nilnil // nothing waits
	case err != nil:
		return nil, fmt.Errorf("take a test: %w", err)
	}
	return &state.TestPart{Test: row.TestID, Work: state.TestWork(row.Work), Spec: row.Spec, Target: row.Vantage, Vantage: vantage}, nil
}

// FinishTargetTest keeps what a part of a test brought. Twice is as good as once.
func (b *Book) FinishTargetTest(ctx context.Context, part state.TestPart) error {
	steps, err := json.Marshal(append([]state.TestStep{}, part.Steps...))
	if err != nil {
		return fmt.Errorf("keep a test: %w", err)
	}
	if err := b.q.FinishTargetTest(ctx, queries.FinishTargetTestParams{TestID: part.Test, Work: string(part.Work), Steps: steps}); err != nil {
		return fmt.Errorf("keep a test: %w", err)
	}
	return nil
}

// TargetTest returns a test and how far it is; ok is false if there is none of that number
// (any more).
func (b *Book) TargetTest(ctx context.Context, id int64) (t state.TargetTest, ok bool, err error) {
	rows, err := b.q.TargetTest(ctx, id)
	if err != nil {
		return t, false, fmt.Errorf("read a test: %w", err)
	}
	for _, row := range rows {
		t.ID, t.Spec, t.Vantage, t.By, t.Via, t.AskedAt = row.ID, row.Spec, row.Vantage, row.AskedBy, row.Via, row.AskedAt
		part := state.TestPart{
			Test: row.ID, Work: state.TestWork(row.Work), Spec: row.Spec, Target: row.Vantage, Vantage: row.ByVantage,
			TakenAt: row.TakenAt, FinishedAt: row.FinishedAt,
		}
		if err := json.Unmarshal(row.Steps, &part.Steps); err != nil {
			return t, false, fmt.Errorf("read a test: %w", err)
		}
		t.Parts = append(t.Parts, part)
	}
	return t, len(rows) > 0, nil
}
