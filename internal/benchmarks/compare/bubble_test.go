package compare

import (
	"testing"
	"testing/synctest"
	"time"
)

// virtually runs look in virtual time, and afterwards gives what it began time to end.
func virtually(t *testing.T, look func(*testing.T)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		look(t)
		time.Sleep(2 * time.Minute)
	})
}
