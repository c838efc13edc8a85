package desk

import (
	"net/netip"

	"ownmap/pipeline/state"
)

// lookSteps says step by step how far a look inside a host came.
func lookSteps(address netip.Addr, look state.Look) []state.TestStep {
	names := []string{state.StepConnect, state.StepHostKey, state.StepLogin, state.StepLook}
	if look.Complete() {
		says := state.Count(len(look.Listeners), "listener", "listeners") + " found, as root"
		if !look.Root {
			says = state.Count(len(look.Listeners), "listener", "listeners") + " found, without root: processes of other users stay unknown"
		}
		return []state.TestStep{
			ok(names[0], &address, "an SSH server answers"), ok(names[1], &address, "it is the known one"), ok(names[2], &address, "accepted"), ok(names[3], &address, says),
		}
	}
	at, tried := failedAt(look.Reason)
	var steps []state.TestStep
	for i, name := range names[:at] {
		if i < tried {
			steps = append(steps, ok(name, &address, ""))
		}
	}
	says := look.Reason
	if look.Detail != "" {
		says += ": " + look.Detail
	}
	return append(steps, failed(names[at], &address, says, remedyOf(address, look.Reason)))
}

// failedAt returns at which step a look ended for a reason, and how many steps before it
// were done: keys are looked for before anything is sent.
func failedAt(reason string) (step, done int) {
	switch reason {
	case state.SSHKeyUnknown, state.SSHKeyChanged:
		return 1, 1
	case state.SSHNoKeys:
		return 2, 0
	case state.SSHLoginRefused:
		return 2, 2
	case state.SSHIncomplete, state.SSHNothingToAsk, state.SSHTooMuch:
		return 3, 3
	}
	return 0, 0
}

// remedyOf says what to do about a look that failed.
func remedyOf(address netip.Addr, reason string) string {
	switch reason {
	case state.SSHNoAnswer:
		return "is the port right, and does a firewall let this machine through?"
	case state.SSHRefused, state.SSHNoSSH:
		return "does sshd listen there? Set the port of the target, or under ssh in ownmap.yaml"
	case state.SSHTimeout:
		return "the host is slow, or a firewall drops what it sends; ssh.timeout in ownmap.yaml is the patience with it"
	case state.SSHJumpFailed:
		return "see ssh.jump in ownmap.yaml"
	case state.SSHLoginRefused:
		return "does the user exist there, with our key? `ownmap hostkeys recipe` says how to set it up"
	case state.SSHNoKeys:
		return "name the key that OwnMap is to use as ssh.key_file in ownmap.yaml"
	case state.SSHNothingToAsk:
		return "install iproute2 or net-tools there"
	}
	return state.InsideGap{Address: address, Reason: reason}.Remedy()
}
