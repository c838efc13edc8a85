package egress

import (
	"net/netip"
	"testing"
)

func TestRules(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]Rule{
		"203.0.113.9": "", "8.8.8.8": "", "2001:db8::1": "", "2606:4700::1111": "", "10.1.2.3": "", "172.16.0.1": "", "192.168.1.1": "", "fd12::1": "", "100.64.0.1": "", "64:ff9b::808:808": "", "2002:808:808::1": "",
		"169.254.169.254": RuleMetadata, "fd00:ec2::254": RuleMetadata, "fd20:ce::254": RuleMetadata, "100.100.100.200": RuleMetadata, "192.0.0.192": RuleMetadata, "168.63.129.16": RuleMetadata,
		"::ffff:169.254.169.254": RuleMetadata, "64:ff9b::a9fe:a9fe": RuleMetadata, "64:ff9b:1::a9fe:a9fe": RuleMetadata, "64:ff9b:1:a9fe:a9:fe00::": RuleMetadata,
		"2002:a9fe:a9fe::1": RuleMetadata, "::169.254.169.254": RuleMetadata, "::ffff:0:169.254.169.254": RuleMetadata,
		"2001:0:c000:201::5601:5601": RuleMetadata, "2001:0:a9fe:a9fe::1": RuleMetadata, "2001:db8::5efe:169.254.169.254": RuleMetadata, "2001:db8::200:5efe:a9fe:a9fe": RuleMetadata,
		"169.254.0.1": RuleLinkLocal, "fe80::1": RuleLinkLocal, "fe80::1%eth0": RuleLinkLocal, "febf::1": RuleLinkLocal, "::ffff:169.254.1.1": RuleLinkLocal, "64:ff9b::169.254.1.1": RuleLinkLocal,
		"224.0.0.1": RuleMulticast, "239.255.255.250": RuleMulticast, "ff02::1": RuleMulticast, "::ffff:224.0.0.1": RuleMulticast, "2002:e000:1::": RuleMulticast,
		"255.255.255.255": RuleBroadcast, "::ffff:255.255.255.255": RuleBroadcast,
		"0.0.0.0": RuleUnspecified, "::": RuleUnspecified, "0.1.2.3": RuleUnspecified, "::ffff:0.0.0.0": RuleUnspecified, "64:ff9b::": RuleUnspecified,
		"127.0.0.1": RuleLoopback, "127.255.0.1": RuleLoopback, "::1": RuleLoopback, "::ffff:127.0.0.1": RuleLoopback, "64:ff9b::7f00:1": RuleLoopback, "2002:7f00:1::": RuleLoopback, "::127.0.0.1": RuleLoopback,
	} {
		a := netip.MustParseAddr(address)
		if got := (Options{}).refused(a, false); got != want {
			t.Errorf("%s: %q, want %q", address, got, want)
		}
		// Only a loopback address itself gains by the name localhost.
		if got := (Options{}).refused(a, true); (got == "") != a.Unmap().IsLoopback() {
			t.Errorf("%s as localhost: %q", address, got)
		}
	}
	for _, address := range []string{
		"10.1.2.3", "172.31.0.1", "192.168.1.1", "fd12::1", "100.64.0.1", "192.0.0.8", "198.18.0.1", "fec0::1", "::ffff:10.1.2.3", "64:ff9b::10.1.2.3", "64:ff9b:1::808:808", "2002:a01:203::1",
	} {
		if got := (Options{RefusePrivate: true}).refused(netip.MustParseAddr(address), false); got != RulePrivate {
			t.Errorf("%s: %q, want %q", address, got, RulePrivate)
		}
	}
	for _, address := range []string{"203.0.113.9", "172.32.0.1", "100.128.0.1", "2001:db8::1", "64:ff9b::808:808"} {
		if got := (Options{RefusePrivate: true}).refused(netip.MustParseAddr(address), false); got != "" {
			t.Errorf("%s: %q", address, got)
		}
	}
}
