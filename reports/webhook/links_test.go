package webhook

import (
	"encoding/json"
	"fmt"
	"strconv"
	"testing"

	"ownmap/pipeline/lab/demo"
	"ownmap/pipeline/state"
)

// TestLinksToApprove holds that each port that awaits approval comes with its link.
func TestLinksToApprove(t *testing.T) {
	t.Parallel()
	r := demo.Nights(49).At(46)
	for _, linked := range []bool{false, true} {
		m := state.Message{ID: "run-46.ops", Kind: state.MessageReminder, Report: &r}
		if linked {
			m.Links.Approve = func(host int64, ports ...state.Port) string {
				return fmt.Sprintf("https://ownmap.example.org/a/%d-%d", host, ports[0].Number)
			}
		}
		var sent struct {
			Data struct {
				Unapproved []struct {
					Port    uint16
					Approve *string
				}
			}
		}
		if err := json.Unmarshal(render(t, m, "", ""), &sent); err != nil {
			t.Fatal(err)
		}
		if len(sent.Data.Unapproved) != 6 {
			t.Fatalf("%d ports", len(sent.Data.Unapproved))
		}
		for _, p := range sent.Data.Unapproved {
			if linked != (p.Approve != nil) || linked && (*p.Approve)[len(*p.Approve)-len(strconv.FormatUint(uint64(p.Port), 10)):] != strconv.FormatUint(uint64(p.Port), 10) {
				t.Errorf("port %d: %v", p.Port, p.Approve)
			}
		}
	}
}
