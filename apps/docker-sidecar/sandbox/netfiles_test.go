package main

import (
	"strings"
	"testing"
)

func TestHosts(t *testing.T) {
	const head = "# Kubernetes-managed hosts file.\n127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n" +
		"fe00::0\tip6-localnet\nfe00::0\tip6-mcastprefix\nfe00::1\tip6-allnodes\nfe00::2\tip6-allrouters\n"
	aliases := []alias{{IP: "10.1.2.3", Names: []string{"a", "b.c"}}}
	for name, test := range map[string]struct {
		files     networkFiles
		addresses []string
		want      string
	}{
		"a name":    {networkFiles{Hostname: "p"}, []string{"172.17.0.2"}, head + "172.17.0.2\tp\n"},
		"a domain":  {networkFiles{Hostname: "p", Domain: "s.ns.svc.x"}, []string{"172.17.0.2"}, head + "172.17.0.2\tp.s.ns.svc.x\tp\n"},
		"both IPs":  {networkFiles{Hostname: "p"}, []string{"172.17.0.2", "fd00::2"}, head + "172.17.0.2\tp\nfd00::2\tp\n"},
		"aliases":   {networkFiles{Hostname: "p", Aliases: aliases}, nil, head + "\n# Entries added by HostAliases.\n10.1.2.3\ta\tb.c\n"},
		"host":      {networkFiles{HostNetwork: true}, []string{"1.2.3.4"}, "# Kubernetes-managed hosts file (host network).\nengine's\n"},
		"host also": {networkFiles{HostNetwork: true, Aliases: aliases}, nil, "# Kubernetes-managed hosts file (host network).\nengine's\n\n# Entries added by HostAliases.\n10.1.2.3\ta\tb.c\n"},
	} {
		if got := test.files.hosts("engine's\n", test.addresses); got != test.want {
			t.Errorf("%s: got %q, want %q", name, got, test.want)
		}
	}
}

func TestResolv(t *testing.T) {
	const host = "# by hand\nsearch old\nnameserver 9.9.9.9\nsearch example.org. .\noptions ndots:1 rotate\n"
	cluster := dns{Base: "cluster", ClusterServers: []string{"10.96.0.10"}, ClusterSearches: []string{"ns.svc.c", "svc.c", "c"}}
	withOwn := cluster
	withOwn.Nameservers, withOwn.Searches, withOwn.Options = []string{"1.1.1.1"}, []string{"mine", "c"}, []string{"ndots:2", "edns0"}
	for name, test := range map[string]struct {
		dns  dns
		want string
	}{
		"the host's": {dns{Base: "host"}, "search example.org\nnameserver 9.9.9.9\noptions ndots:1 rotate\n"},
		"the host's and more": {dns{Base: "host", Nameservers: []string{"9.9.9.9", "1.1.1.1"}, Options: []string{"ndots:3"}},
			"search example.org\nnameserver 9.9.9.9\nnameserver 1.1.1.1\noptions ndots:3 rotate\n"},
		"the cluster's":          {cluster, "search ns.svc.c svc.c c example.org\nnameserver 10.96.0.10\noptions ndots:5\n"},
		"the cluster's and more": {withOwn, "search ns.svc.c svc.c c example.org mine\nnameserver 10.96.0.10\nnameserver 1.1.1.1\noptions ndots:2 edns0\n"},
		"only the pod's":         {dns{Base: "none", Nameservers: []string{"1.1.1.1"}}, "nameserver 1.1.1.1\n"},
		"three servers":          {dns{Base: "none", Nameservers: []string{"1.1.1.1", "2.2.2.2", "3.3.3.3", "4.4.4.4"}}, "nameserver 1.1.1.1\nnameserver 2.2.2.2\nnameserver 3.3.3.3\n"},
	} {
		if got := test.dns.resolv(host); got != test.want {
			t.Errorf("%s: got %q, want %q", name, got, test.want)
		}
	}
	long := dns{Base: "none", Searches: []string{strings.Repeat("a", 1500), strings.Repeat("b", 1500)}}
	if got := long.resolv(host); got != "search "+long.Searches[0]+"\n" {
		t.Errorf("the searches were not cut: %d bytes", len(got))
	}
}
