package export

import ("io";"ownmap/pipeline/state")

func Markdown(w io.Writer, report state.Report) error { return nil }
