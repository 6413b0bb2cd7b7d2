package main

import (
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/svcauth/svcauth/internal/benchmarks"
)

// machine is where the numbers come from.
type machine struct {
	processor string
	cores     int
	system    string
	goVersion string
	load      string // when the run began; empty where it is not known
	peers     []string
}

func thisMachine() machine {
	m := machine{processor: processor(), cores: runtime.GOMAXPROCS(0), system: runtime.GOOS + "/" + runtime.GOARCH, goVersion: runtime.Version()}
	if text, err := os.ReadFile("/proc/loadavg"); err == nil {
		m.load, _, _ = strings.Cut(string(text), " ")
	}
	versions := map[string]string{}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, module := range info.Deps {
			versions[module.Path] = module.Version
		}
	}
	for _, path := range modules() {
		m.peers = append(m.peers, path+" "+versions[path])
	}
	return m
}

// modules are the peers', and those without which a peer does nothing.
func modules() []string {
	var all []string
	for _, peer := range benchmarks.Peers[1:] {
		all = append(all, peer.Module)
	}
	return append(all, "github.com/MicahParks/keyfunc/v3", benchmarks.TokenPeers[1].Module)
}

// processor is the name that Linux has for it, or the architecture.
func processor() string {
	text, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return runtime.GOARCH
	}
	for line := range strings.Lines(string(text)) {
		if name, value, _ := strings.Cut(line, ":"); strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return runtime.GOARCH
}

func (m machine) String() string {
	return fmt.Sprintf("%s, %d cores, %s, %s", m.processor, m.cores, m.system, m.goVersion)
}
