package persist

import (
	"context"
	"errors"
	"strings"

	"ownmap/pipeline/state"
	"ownmap/queries"
)

// auditTarget notes what somebody did to a target.
func auditTarget(ctx context.Context, q *queries.Queries, action string, t state.Target, by state.Actor) error {
	return auditTargetDetail(ctx, q, action, t.Spec.String(), detailOf(t), by)
}

// auditTargetChange notes what a target was and is; what stayed as it was is left out.
func auditTargetChange(ctx context.Context, q *queries.Queries, was, now state.Target, by state.Actor) error {
	before, after, detail := detailOf(was), detailOf(now), map[string]string{}
	before["target"], after["target"] = was.Spec.String(), now.Spec.String()
	for key, value := range after {
		if before[key] != value {
			detail["before "+key], detail[key] = before[key], value
		}
	}
	return auditTargetDetail(ctx, q, "target-change", was.Spec.String(), detail, by)
}

func auditTargetDetail(ctx context.Context, q *queries.Queries, action, subject string, detail map[string]string, by state.Actor) error {
	if state.Clean(by.Name) == "" {
		return errors.New("the author is missing")
	}
	lines := auditOf(by, action)
	if err := lines.add(subject, detail); err != nil {
		return err
	}
	return lines.write(ctx, q)
}

func detailOf(t state.Target) map[string]string {
	detail := map[string]string{
		"tags": strings.Join(t.Tags, ", "), "owner": t.Owner, "profile": t.Profile, "vantage": t.Vantage,
		"exclude": strings.Join(specTexts(t.Exclude), ", "),
	}
	if t.SSH != (state.TargetSSH{}) {
		detail["ssh"] = t.SSH.String()
	}
	return detail
}
