package load

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"ownmap/pipeline/state"
)

const sshConfig = `
ssh:
  user: ownmap
  key_file: /etc/ownmap/id
  known_hosts: [/etc/ownmap/known_hosts]
  tags:
    dmz: {port: 2222, jump: [admin@bastion.example.org, "10.9.9.9:2200"]}
    lab: {user: lab, hash: true}
targets:
  - hosts: 10.20.0.1
  - hosts: 10.20.0.2
    ssh: on
  - hosts: 10.20.0.3
    tags: [dmz, lab]
  - hosts: 10.20.0.4
    tags: [dmz]
    ssh: {port: 22, key_file: [keys/a, keys/b], sudo: false}
  - hosts: 10.20.0.5
    tags: [dmz]
    ssh: off
`

// logins returns how the hosts of a plan are looked inside.
func logins(t *testing.T, c Config, more ...state.Target) map[string]string {
	t.Helper()
	plan, err := NewPlanner(c, nil).Plan(context.Background(), append(c.StateTargets(), more...), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	said := map[string]string{}
	for _, h := range plan.Hosts {
		if h.Login == nil {
			said[h.Address.String()] = "no"
			continue
		}
		text, err := json.Marshal(h.Login)
		if err != nil {
			t.Fatal(err)
		}
		said[h.Address.String()] = string(text)
	}
	return said
}

func TestLogins(t *testing.T) {
	t.Parallel()
	spec, err := state.ParseSpec("10.20.0.9")
	if err != nil {
		t.Fatal(err)
	}
	added := state.Target{Spec: spec, Origin: state.OriginCLI, Tags: []string{"lab"}}
	got := logins(t, mustParse(t, sshConfig), added)
	for address, want := range map[string][]string{
		"10.20.0.1": {"no"},
		"10.20.0.2": {`"Address":"10.20.0.2"`, `"User":"ownmap"`, `"Port":0`, `"KeyFiles":["/etc/ownmap/id"]`, `"Agent":true`, `"Sudo":true`, `"Hash":false`, `"Jump":null`},
		"10.20.0.3": {`"User":"lab"`, `"Port":2222`, `"Jump":["admin@bastion.example.org","10.9.9.9:2200"]`, `"Hash":true`, `"KnownHosts":["/etc/ownmap/known_hosts"]`},
		"10.20.0.4": {`"User":"ownmap"`, `"Port":22`, `/keys/a","/`, `"Sudo":false`, `"Agent":true`},
		"10.20.0.5": {"no"},
		"10.20.0.9": {`"User":"lab"`},
	} {
		for _, text := range want {
			if !strings.Contains(got[address], text) {
				t.Errorf("%s: %s is not in %s", address, text, got[address])
			}
		}
	}
	all := logins(t, mustParse(t, strings.Replace(sshConfig, "ssh:\n", "ssh:\n  look: all\n", 1)))
	none := logins(t, mustParse(t, strings.Replace(sshConfig, "ssh:\n", "ssh:\n  look: off\n", 1)))
	if all["10.20.0.1"] == "no" || all["10.20.0.5"] != "no" || none["10.20.0.2"] != "no" {
		t.Errorf("look: all gives %v, look: off %v", all, none)
	}
}

// TestSSHIsDumpedWhole holds that what `config show` writes means the same.
func TestSSHIsDumpedWhole(t *testing.T) {
	t.Parallel()
	c := mustParse(t, sshConfig)
	again := mustParse(t, dump(t, c))
	if first, second := dump(t, c), dump(t, again); first != second {
		t.Errorf("dumped\n%s\nand again\n%s", first, second)
	}
	for address, want := range logins(t, c) {
		if got := logins(t, again)[address]; got != want {
			t.Errorf("%s: %s, want %s", address, got, want)
		}
	}
}

func TestKeyFileFromEnvironment(t *testing.T) {
	t.Parallel()
	env := func(name string) string {
		return map[string]string{"CREDENTIALS_DIRECTORY": "/run/credentials/ownmap"}[name]
	}
	c, err := Parse("ownmap.yaml", []byte("ssh: {key_file: '${CREDENTIALS_DIRECTORY}/key'}"), env)
	if err != nil || c.SSH.KeyFile[0] != "/run/credentials/ownmap/key" {
		t.Errorf("%v, %v", c.SSH.KeyFile, err)
	}
}
