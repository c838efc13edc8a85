package main

import (
	"context"
	"log/slog"

	"ownmap/pipeline/egress"
	"ownmap/pipeline/load"
	"ownmap/pipeline/state"
	"ownmap/reports/heartbeat"
)

// beat calls the address that notices when OwnMap does not run: nothing inside of it
// could. A call that fails is told and holds up nothing.
type beat struct {
	heart *heartbeat.Heart // nil: nobody listens
	log   *slog.Logger
}

func (h *house) heartbeat() (beat, error) {
	w := h.config.Watch
	if w.Heartbeat.Reveal() == "" {
		return beat{}, nil
	}
	client, err := egress.New(egress.Options{Resolver: h.app.resolver})
	if err != nil {
		return beat{}, err
	}
	style := heartbeat.Healthchecks
	if w.HeartbeatKind == load.HeartbeatPlain {
		style = heartbeat.Plain
	}
	heart, err := heartbeat.New(heartbeat.Options{URL: w.Heartbeat, Style: style, Client: client})
	return beat{heart, h.log}, err
}

// start tells that a run begins. It has no number yet.
func (b beat) start(ctx context.Context) {
	if b.heart != nil {
		b.tell(ctx, b.heart.Start(ctx, state.Run{}))
	}
}

// end tells what came of a run: that it failed, or that its messages were not delivered,
// is a failure. That a host was not looked at is told by the channels.
func (b beat) end(ctx context.Context, report state.Report, failed error) {
	switch {
	case b.heart == nil:
	case failed != nil:
		b.tell(ctx, b.heart.Fail(ctx, state.Run{}, failed.Error()))
	default:
		b.tell(ctx, b.heart.Success(ctx, state.Run{}, report.Verdict()))
	}
}

func (b beat) tell(ctx context.Context, err error) {
	if err != nil {
		b.log.WarnContext(ctx, "heartbeat", "error", err)
	}
}
