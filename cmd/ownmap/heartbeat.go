package main

import (
	"context"

	"ownmap/pipeline/state"
)

type beat struct{}

func (h *house) heartbeat() beat { return beat{} }
func (b beat) start(context.Context) {}
func (b beat) end(context.Context, state.Report, error) {}
