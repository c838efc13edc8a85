package state

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

func mustPorts(t *testing.T, text string) PortSet {
	t.Helper()
	s, err := ParsePortSet(text)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestParsePortSet(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		text, want string
		count      int
	}{
		{"", "", 0},
		{" ", "", 0},
		{"22", "22", 1},
		{"0022", "22", 1},
		{"80, 22 ,443", "22,80,443", 3},
		{"1-3,4,6", "1-4,6", 5},
		{"8000-8099,8050-8200,8000", "8000-8200", 201},
		{"-", "1-65535", 65535},
		{"-3", "1-3", 3},
		{"65534-", "65534-65535", 2},
		{"65535,1-65534", "1-65535", 65535},
		{"1,3,5", "1,3,5", 3},
	} {
		s, err := ParsePortSet(tc.text)
		if err != nil || s.String() != tc.want || s.Len() != tc.count {
			t.Errorf("ParsePortSet(%q) = %q with %d, want %q with %d (%v)", tc.text, s, s.Len(), tc.want, tc.count, err)
		}
	}
	for _, text := range []string{",", "22,", "0", "0-5", "65536", "5-3", "a", "1-2-3", "+22", "-oN", "22/tcp", "T:80", "1_000", "http", "22;23", "--"} {
		if s, err := ParsePortSet(text); err == nil || s.Len() != 0 || !strings.HasPrefix(err.Error(), `"`) && !strings.HasPrefix(err.Error(), "ports ") {
			t.Errorf("ParsePortSet(%q) = %q, %v", text, s, err)
		}
	}
}

func TestPortSetJSON(t *testing.T) {
	t.Parallel()
	text, err := json.Marshal(map[string]PortSet{"a": mustPorts(t, "80,22"), "b": {}})
	if err != nil || string(text) != `{"a":"22,80","b":""}` {
		t.Fatalf("%s, %v", text, err)
	}
	var back map[string]PortSet
	if err := json.Unmarshal(text, &back); err != nil || !back["a"].Equal(PortsOf(22, 80)) || back["b"].Len() != 0 {
		t.Errorf("%v, %v", back, err)
	}
	if json.Unmarshal([]byte(`{"a":"99999"}`), &back) == nil {
		t.Error("port 99999 is read back")
	}
}

// FuzzPortSet holds the sets against plain tables of 65,536 booleans.
func FuzzPortSet(f *testing.F) {
	for _, seed := range [][2]string{{"22,80-90", "85"}, {"-", "1,65535"}, {"1-10,20-30", "5-25"}, {"", "-"}, {"7", ""}, {"60000-", "-"}, {"1-3,5-7,9", "2-6"}} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, textA, textB string) {
		a, errA := ParsePortSet(textA)
		b, errB := ParsePortSet(textB)
		if errA != nil || errB != nil {
			return
		}
		var inA, inB [65536]bool
		for n := range a.All() {
			inA[n] = true
		}
		for n := range b.All() {
			inB[n] = true
		}
		for name, tc := range map[string]struct {
			set  PortSet
			want func(n int) bool
		}{
			"a":       {a, func(n int) bool { return inA[n] }},
			"union":   {a.Union(b), func(n int) bool { return inA[n] || inB[n] }},
			"without": {a.Without(b), func(n int) bool { return inA[n] && !inB[n] }},
		} {
			var want []uint16
			for n := range 65536 {
				if tc.want(n) {
					want = append(want, uint16(n))
				}
				if tc.set.Contains(uint16(n)) != tc.want(n) {
					t.Fatalf("%s of %q and %q: contains %d: %v", name, textA, textB, n, !tc.want(n))
				}
			}
			if got := slices.Collect(tc.set.All()); !slices.Equal(got, want) || tc.set.Len() != len(want) {
				t.Errorf("%s of %q and %q is %q", name, textA, textB, tc.set)
			}
			again, err := ParsePortSet(tc.set.String())
			if err != nil || !again.Equal(tc.set) || !PortsOf(want...).Equal(tc.set) {
				t.Errorf("%s: %q reads back as %q (%v)", name, tc.set, again, err)
			}
		}
		if !a.Without(b).Union(b).Equal(a.Union(b)) || a.Equal(b) != (inA == inB) {
			t.Errorf("%q and %q", a, b)
		}
	})
}

func TestPortSetLeaving(t *testing.T) {
	t.Parallel()
	for n := range mustPorts(t, "5-9").All() {
		if n == 6 {
			break
		}
	}
	if PortsOf(0, 0).Len() != 0 || !PortsOf(3, 1, 2, 2).Equal(mustPorts(t, "1-3")) {
		t.Error("PortsOf")
	}
	a := mustPorts(t, "1,3,5")
	_ = a.Union(mustPorts(t, "2,4"))
	if a.String() != "1,3,5" {
		t.Errorf("a union changed its operand to %q", a)
	}
}
