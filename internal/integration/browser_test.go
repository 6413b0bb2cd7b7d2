package integration

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

// TestBrowser is what people see. The steps of an issuer share programs, and nothing else: each has people of its own.
func TestBrowser(t *testing.T) {
	onEachIssuer(t, func(t *testing.T, one issuer) {
		s := newStage(t, one, newBrowser(t, one), mainPlace)
		goOn := comeBackLate(t, s) // half a minute passes while the others act
		for _, step := range []struct {
			name string
			run  func(*testing.T, *stage)
		}{
			{"a guest reads", guestReads},
			{"a user posts", userPosts},
			{"a user can't archive", userCannotArchive},
			{"an admin archives", adminArchives},

			{"wrong password", tryWrongPassword},
			{"tampered state", tamperState},
			{"replayed sign-in", replaySignIn},
			{"the issuer answers with an error", errorFromIssuer},
			{"cookie from another run", cookieFromAnotherRun},

			{"a message of 3 MB", threeMegabytes},
			{"markup in a message", markupInMessage},
			{"two tabs", twoTabs},

			{"logout", logOut},
			{"posts from other sites", postsFromOtherSites},
			{"unknown pages", unknownPages},
			{"empty and long messages", emptyAndLongMessages}, // late: the long one is in all pictures after it
			{"services stop", servicesStop},
		} {
			t.Run(step.name, func(t *testing.T) { step.run(t, s) })
		}
		t.Run("a post after the token's end", goOn)
		for _, p := range []*program{s.messages, s.archival, s.webapp} {
			for _, secret := range []string{"-demo-password", webappSecret, jobSecret, "eyJ"} { // every JWT begins like the last
				assert.NotContains(t, p.log.String(), secret, "output of %s", p.name)
			}
		}
	})
}
