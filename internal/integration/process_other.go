//go:build !linux

package integration

import "os/exec"

// startProcess starts cmd. A program outlives a test binary that is killed, here.
func startProcess(cmd *exec.Cmd) error { return cmd.Start() }
