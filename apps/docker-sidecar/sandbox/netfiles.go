package main

import (
	"encoding/json"
	"fmt"
	"net"
	"os"
	"slices"
	"strings"
)

// networkFilesVariable holds, as JSON, what a pod says of its names and its
// DNS. The engine has made both files by the time that this program runs; all
// containers of the pod have the sandbox's.
const networkFilesVariable = "INTERLINK_NETWORK_FILES"

const (
	hostsPath  = "/etc/hosts"
	resolvPath = "/etc/resolv.conf"
)

// What resolvers can take.
const (
	maxServers     = 3
	maxSearches    = 32
	maxSearchChars = 2048
)

type alias struct {
	IP    string   `json:"ip"`
	Names []string `json:"names"`
}

type dns struct {
	// "host", "cluster" or "none": what the pod's own settings are added to.
	Base            string   `json:"base"`
	ClusterServers  []string `json:"clusterServers"`
	ClusterSearches []string `json:"clusterSearches"`
	Nameservers     []string `json:"nameservers"`
	Searches        []string `json:"searches"`
	Options         []string `json:"options"`
}

type networkFiles struct {
	HostNetwork bool    `json:"hostNetwork"`
	Hostname    string  `json:"hostname"`
	Domain      string  `json:"domain"`
	Aliases     []alias `json:"aliases"`
	DNS         dns     `json:"dns"`
}

// writeNetworkFiles rewrites both files in place: they are mounts, and other
// containers see the same ones.
func writeNetworkFiles(text string) error {
	var files networkFiles
	if err := json.Unmarshal([]byte(text), &files); err != nil {
		return fmt.Errorf("%s: %w", networkFilesVariable, err)
	}
	engines, err := os.ReadFile(hostsPath)
	if err != nil {
		return err
	}
	addresses, err := ownAddresses()
	if err != nil {
		return err
	}
	if err := os.WriteFile(hostsPath, []byte(files.hosts(string(engines), addresses)), 0o644); err != nil {
		return err
	}
	hosts, err := os.ReadFile(resolvPath)
	if err != nil {
		return err
	}
	return os.WriteFile(resolvPath, []byte(files.DNS.resolv(string(hosts))), 0o644)
}

// hosts is what a kubelet writes; existing is the host's own file where the
// pod is on the host's network.
func (f networkFiles) hosts(existing string, addresses []string) string {
	var b strings.Builder
	if f.HostNetwork {
		b.WriteString("# Kubernetes-managed hosts file (host network).\n")
		b.WriteString(strings.TrimPrefix(existing, b.String()))
	} else {
		b.WriteString("# Kubernetes-managed hosts file.\n")
		b.WriteString("127.0.0.1\tlocalhost\n")
		b.WriteString("::1\tlocalhost ip6-localhost ip6-loopback\n")
		b.WriteString("fe00::0\tip6-localnet\n")
		b.WriteString("fe00::0\tip6-mcastprefix\n")
		b.WriteString("fe00::1\tip6-allnodes\n")
		b.WriteString("fe00::2\tip6-allrouters\n")
		names := f.Hostname
		if f.Domain != "" {
			names = f.Hostname + "." + f.Domain + "\t" + f.Hostname
		}
		for _, address := range addresses {
			b.WriteString(address + "\t" + names + "\n")
		}
	}
	if len(f.Aliases) > 0 {
		b.WriteString("\n# Entries added by HostAliases.\n")
		for _, one := range f.Aliases {
			b.WriteString(one.IP + "\t" + strings.Join(one.Names, "\t") + "\n")
		}
	}
	return b.String()
}

// resolv adds the pod's own settings to those of the host (existing) or of the cluster.
func (d dns) resolv(existing string) string {
	var servers, searches, options []string
	host := parseResolv(existing)
	switch d.Base {
	case "host":
		servers, searches, options = host.servers, host.searches, host.options
	case "cluster":
		servers = d.ClusterServers
		searches = append(slices.Clone(d.ClusterSearches), host.searches...)
		options = []string{"ndots:5"}
	}
	servers = distinct(append(slices.Clone(servers), d.Nameservers...))
	searches = distinct(append(slices.Clone(searches), d.Searches...))
	options = merge(append(slices.Clone(options), d.Options...))
	servers = servers[:min(len(servers), maxServers)]
	searches = searches[:min(len(searches), maxSearches)]
	for len(strings.Join(searches, " ")) > maxSearchChars {
		searches = searches[:len(searches)-1]
	}
	var b strings.Builder
	if len(searches) > 0 {
		b.WriteString("search " + strings.Join(searches, " ") + "\n")
	}
	for _, server := range servers {
		b.WriteString("nameserver " + server + "\n")
	}
	if len(options) > 0 {
		b.WriteString("options " + strings.Join(options, " ") + "\n")
	}
	return b.String()
}

type resolvConf struct{ servers, searches, options []string }

// parseResolv reads name servers and options of all lines, searches of the last.
func parseResolv(text string) resolvConf {
	var conf resolvConf
	for line := range strings.Lines(text) {
		word, rest := first(strings.Fields(line))
		switch word {
		case "nameserver":
			conf.servers = append(conf.servers, rest[:min(len(rest), 1)]...)
		case "search":
			conf.searches = nil
			for _, domain := range rest {
				if domain != "." {
					conf.searches = append(conf.searches, strings.TrimSuffix(domain, "."))
				}
			}
		case "options":
			conf.options = append(conf.options, rest...)
		}
	}
	return conf
}

func distinct(values []string) []string {
	var kept []string
	for _, value := range values {
		if !slices.Contains(kept, value) {
			kept = append(kept, value)
		}
	}
	return kept
}

// merge keeps the last of each option ("ndots:5") in the place of its first.
func merge(options []string) []string {
	var kept []string
	name := func(option string) string { before, _, _ := strings.Cut(option, ":"); return before }
	for _, option := range options {
		at := slices.IndexFunc(kept, func(other string) bool { return name(other) == name(option) })
		if at < 0 {
			kept = append(kept, option)
		} else {
			kept[at] = option
		}
	}
	return kept
}

// ownAddresses are those by which others reach the pod, IPv4 first.
func ownAddresses() ([]string, error) {
	all, err := net.InterfaceAddrs()
	if err != nil {
		return nil, err
	}
	var four, six []string
	for _, address := range all {
		network, ok := address.(*net.IPNet)
		if !ok || !network.IP.IsGlobalUnicast() {
			continue
		}
		if network.IP.To4() != nil {
			four = append(four, network.IP.String())
		} else {
			six = append(six, network.IP.String())
		}
	}
	return append(four, six...), nil
}
