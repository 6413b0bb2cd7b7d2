package integration

import (
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/svcauth/svcauth/keycloak/keycloaktest"
)

// recovery is within what time services must work once their issuer does.
const recovery = 5 * time.Second

// TestIssuerAway stops the issuer under two running services, which must not notice while their tokens and keys are good, and starts two more meanwhile.
func TestIssuerAway(t *testing.T) {
	onEachIssuer(t, func(t *testing.T, one issuer) {
		m := messages(t, one.URL(sivalabs), "")
		a := archival(t, one.URL(sivalabs), m.url)
		admin := person(t, one, sivalabs, "admin").Access
		a.logs(t, 0, got200)
		require.Equal(t, http.StatusOK, archive(t, a, admin).status)

		one.Stop(t)
		away := true
		t.Cleanup(func() { // whatever happens here, the next test needs the issuer
			if away {
				one.Start(t)
			}
		})
		coldMessages := messages(t, one.URL(sivalabs), "")
		coldArchival := archival(t, one.URL(sivalabs), coldMessages.url)
		refusesForNow(t, coldMessages, admin)
		refusesForNow(t, coldArchival, admin)
		coldArchival.logs(t, 0, callFailed)

		runs := a.log.count(got200)
		for end := time.Now().Add(outage); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
			require.Equal(t, http.StatusOK, archive(t, m, admin).status)
			require.Equal(t, http.StatusOK, archive(t, a, admin).status)
			require.Equal(t, http.StatusServiceUnavailable, archive(t, coldMessages, admin).status)
		}
		assert.Greater(t, a.log.count(got200)-runs, int(outage/time.Second), "answers that the job and the admin got")
		assert.Zero(t, a.log.count(callFailed))

		one.Start(t)
		away = false
		recovers(t, time.Now(), coldMessages, coldArchival, admin)
	})
}

// TestServicesBeforeIssuer starts services for an issuer that never was there, as when everything boots at once.
func TestServicesBeforeIssuer(t *testing.T) {
	addr := freeAddr()
	issuerURL := "http://" + addr + "/realms/" + sivalabs
	m := messages(t, issuerURL, "")
	a := archival(t, issuerURL, m.url)
	a.logs(t, 1, callFailed)
	// A token that claims to be this issuer's. Nobody can know yet that it is not.
	claimed := theEmbedded[wide].Token(keycloaktest.Token{Client: "as-admin", Claims: object{"iss": issuerURL}})
	refusesForNow(t, m, claimed)
	refusesForNow(t, a, claimed)
	// Of another issuer: refused without a look at keys.
	assert.Equal(t, http.StatusUnauthorized, archive(t, m, theEmbedded[wide].Token(keycloaktest.Token{Client: "as-admin"})).status)

	data, err := realmFile(sivalabs)
	require.NoError(t, err)
	server, err := keycloaktest.Start(keycloaktest.Config{RealmJSON: data, Addr: addr})
	require.NoError(t, err)
	t.Cleanup(server.Close)
	recovers(t, time.Now(), m, a, server.Token(keycloaktest.Token{Client: webapp, User: "admin"}))
	assert.Equal(t, http.StatusUnauthorized, archive(t, m, claimed).status)
}

// refusesForNow checks a service that has no keys yet: the fault is not the token's, and callers are told when to come again. What needs no keys works.
func refusesForNow(t *testing.T, p *program, token string) {
	t.Helper()
	got := archive(t, p, token)
	assert.Equal(t, http.StatusServiceUnavailable, got.status, "%s", got)
	assert.Empty(t, got.header.Values("WWW-Authenticate"))
	seconds, err := strconv.Atoi(got.header.Get("Retry-After"))
	assert.NoError(t, err)
	assert.True(t, 1 <= seconds && seconds <= 5, "Retry-After is %d", seconds)
	assert.Less(t, got.took, 7*time.Second)

	got = archive(t, p, "")
	assert.Equal(t, http.StatusUnauthorized, got.status, "%s", got)
	assert.Equal(t, []string{"Bearer"}, got.header.Values("WWW-Authenticate"))
	if p.name == "messages-service" {
		assert.Equal(t, http.StatusOK, send(t, http.MethodGet, p.url+"/api/messages", token, nil).status)
	}
}

func recovers(t *testing.T, begin time.Time, m, a *program, token string) {
	t.Helper()
	runs := a.log.count(got200)
	left := func() time.Duration { return max(time.Until(begin.Add(recovery)), time.Millisecond) }
	require.Eventually(t, func() bool { return archiveStatus(t, m, token) == http.StatusOK }, left(), 50*time.Millisecond, "messages-service does not recover")
	require.Eventually(t, func() bool { return archiveStatus(t, a, token) == http.StatusOK }, left(), 50*time.Millisecond, "archival-service does not recover")
	require.Eventually(t, func() bool { return a.log.count(got200) > runs+1 }, left()+time.Second, 20*time.Millisecond, "the job does not recover")
}
