package integration

import (
	"net/http"
	"regexp"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	archived   = "Archiving all messages"
	got200     = "Archive messages response code: 200 OK"
	callFailed = "Error while invoking Archive messages API"
)

func TestJobArchives(t *testing.T) {
	onEachIssuer(t, func(t *testing.T, one issuer) {
		m := messages(t, one.URL(sivalabs), "")
		a := archival(t, one.URL(sivalabs), m.url)
		a.logs(t, 1, got200) // the second run too
		assert.Regexp(t, regexp.MustCompile(`Running MessageArchivalJob at \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"`), a.log.String())
		m.logs(t, 1, archived, "caller=service-account-archival-service")
		assert.Zero(t, a.log.count(callFailed))
	})
}

// An admin's call is passed on with the service's own token, never with the admin's: messages-service must see archival-service.
func TestNestedCall(t *testing.T) {
	onEachIssuer(t, func(t *testing.T, one issuer) {
		m := messages(t, one.URL(sivalabs), "")
		a := archival(t, one.URL(sivalabs), m.url, "-interval", "1h")
		a.ranOnce(t) // well or not: a Keycloak that has just started may be slow
		admin, user := person(t, one, sivalabs, "admin").Access, person(t, one, sivalabs, "user").Access

		before := m.log.count(archived)
		got := archive(t, a, admin)
		assert.Equal(t, http.StatusOK, got.status, "%s", got)
		assert.JSONEq(t, `{"status":"success"}`, string(got.body))
		m.logs(t, before, archived, "caller=service-account-archival-service")
		assert.Zero(t, m.log.count(archived, "caller=admin"))

		got = archive(t, a, user)
		assert.Equal(t, http.StatusForbidden, got.status, "%s", got)
		assert.Equal(t, before+1, m.log.count(archived))
	})
}

func TestMessagesServiceAway(t *testing.T) {
	onEachIssuer(t, func(t *testing.T, one issuer) {
		addr := freeAddr()
		m := messages(t, one.URL(sivalabs), addr)
		a := archival(t, one.URL(sivalabs), m.url)
		admin := person(t, one, sivalabs, "admin").Access
		a.logs(t, 0, got200)

		m.stop(t)
		got := archive(t, a, admin)
		assert.Equal(t, http.StatusBadGateway, got.status, "%s", got)
		assert.Equal(t, "application/problem+json", got.header.Get("Content-Type"))
		a.logs(t, 1, callFailed) // the job goes on
		require.NotContains(t, a.log.String(), "panicked")

		runs := a.log.count(got200)
		messages(t, one.URL(sivalabs), addr)
		a.logs(t, runs, got200)
		got = archive(t, a, admin)
		assert.Equal(t, http.StatusOK, got.status, "%s", got)
	})
}

// The articles' realm has no audience mappers: the services run without the check, say so once, and the log of a service with the check names the mend.
func TestArticleRealm(t *testing.T) {
	const warning = "the audience check is off"
	onEachIssuer(t, func(t *testing.T, one issuer) {
		m := messages(t, one.URL(article), "", "-audience", "")
		a := archival(t, one.URL(article), m.url, "-audience", "")
		a.logs(t, 1, got200)
		assert.Equal(t, 1, m.log.count("level=WARN", warning))
		assert.Equal(t, 1, a.log.count("level=WARN", warning))
		job := service(t, one, article, "archival-service", jobSecret) // an admin in this realm
		got := archive(t, a, job)
		assert.Equal(t, http.StatusOK, got.status, "%s", got)

		got = archive(t, m, person(t, one, article, "admin").ID) // no audience check, and still no ID tokens
		assert.Equal(t, http.StatusUnauthorized, got.status, "%s", got)
		m.logs(t, 0, "not_an_access_token")

		strict := messages(t, one.URL(article), "")
		got = archive(t, strict, job)
		assert.Equal(t, http.StatusUnauthorized, got.status, "%s", got)
		strict.logs(t, 0, "audience_mismatch", "add an Audience mapper for messages-service")
	})
}
