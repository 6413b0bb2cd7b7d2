package clientcreds

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestNothingPrintsASecret plants secrets and tokens, and prints every exported type by every verb that asks the type: %p does not, and go vet refuses it for
// values that are no pointers.
func TestNothingPrintsASecret(t *testing.T) {
	const secret = "p1anted-secret/+x"
	planted := []string{
		"p1anted", hexOf("p1anted"), strings.ToUpper(hexOf("p1anted")), base64.StdEncoding.EncodeToString([]byte(secret))[:12], fmt.Sprint([]byte(secret))[1:20],
	}
	var log bytes.Buffer
	var fetches []Fetch
	config := Config{
		TokenURL: "https://issuer.example/token?key=p1anted", ClientID: "archival-service", ClientSecret: secret, Scopes: []string{"openid"},
		Resources: []string{"https://user:p1anted@api.example/?k=p1anted"}, Params: url.Values{"password": {"p1anted"}},
		Logger: slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})), OnFetch: func(_ context.Context, f Fetch) { fetches = append(fetches, f) },
	}
	issuer := &script{next: func(int, *http.Request) (*http.Response, error) {
		return reply(200, `{"access_token":"p1anted-token","expires_in":300,"refresh_token":"p1anted","id_token":"p1anted"}`)
	}}
	config.HTTPClient = &http.Client{Transport: issuer}
	source, err := New(config)
	require.NoError(t, err)
	token(t, source)
	issuer.next = func(int, *http.Request) (*http.Response, error) {
		return reply(401, `{"error":"invalid_client","error_description":"you sent `+secret+`","access_token":"p1anted"}`)
	}
	failing := source.For(Target{Scopes: []string{"other"}})
	_, failure := failing.Token()
	require.Error(t, failure)
	issuer.next = func(int, *http.Request) (*http.Response, error) { panic("p1anted " + secret) }
	_, panicked := source.For(Target{Scopes: []string{"panics"}}).Token()
	require.Error(t, panicked)
	require.Len(t, fetches, 3)
	var asError *Error
	require.ErrorAs(t, failure, &asError)
	withAuth := config
	withAuth.ClientSecret, withAuth.Auth = "", SecretBasic{Secret: static(secret)}
	target := Target{Scopes: []string{"a"}, Resources: config.Resources, Origins: []string{"https://me:p1anted@api.example"}, Params: config.Params}
	basic, post := SecretBasic{Secret: static(secret)}, SecretPost{Secret: static(secret)}
	status := failing.Status()

	values := map[string]any{
		"Config": config, "*Config": &config, "Config with Auth": withAuth, "[]Config": []Config{config}, "map": map[string]Config{"a": config}, "in a struct": struct{ C Config }{config},
		"*Source": source, "failing": failing, "Target": target, "*Target": &target, "SecretBasic": basic, "*SecretBasic": &basic, "SecretPost": post, "*SecretPost": &post,
		"ClientAuth": ClientAuth(basic), "Fetch": fetches[1], "*Fetch": &fetches[1], "Fetch of a panic": fetches[2], "Status": status, "*Status": &status,
		"Error": asError, "Error value": *asError, "error": failure, "panic": panicked, "joined": errors.Join(failure, panicked), "transport": source.Transport(nil), "client": source.Client(nil), "*client": *source.Client(nil),
	}
	check := func(where, printed string) {
		t.Helper()
		for _, p := range planted {
			if strings.Contains(printed, p) {
				t.Errorf("%s holds %q: %s", where, p, printed)
			}
		}
	}
	for name, v := range values {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%t", "%T", "%+q", "%# x"} {
			check(name+" by "+verb, fmt.Sprintf(verb, v))
		}
		check(name+" by Print", fmt.Sprint(v))
		if s, ok := v.(fmt.GoStringer); ok { // fmt prefers Format; other printers don't
			check(name+" by GoString", s.GoString())
		}
		if b, err := json.Marshal(v); err == nil {
			check(name+" as JSON", string(b))
			assert.True(t, json.Valid(b))
		}
		var b bytes.Buffer
		slog.New(slog.NewJSONHandler(&b, nil)).Info("x", "v", v)
		slog.New(slog.NewTextHandler(&b, nil)).Info("x", "v", v, "g", slog.GroupValue(slog.Any("v", v)))
		check(name+" by slog", b.String())
	}
	check("the log", log.String())
	assert.Contains(t, log.String(), `"client_id":"archival-service"`)
	// That it says something is the other half.
	assert.Equal(t, `clientcreds.Config{issuer="" token_url="https://issuer.example/token" client_id="archival-service" client_secret="[redacted]" auth="" scopes=[openid] resources=[https://api.example/] origins=[] allow_http=[] params=[password]}`, config.String())
	assert.Contains(t, fmt.Sprintf("%#v", source), `clientcreds.Source{client_id="archival-service"`)
	b, err := json.Marshal(status)
	require.NoError(t, err)
	assert.Contains(t, string(b), `"state":"none"`)
	assert.Contains(t, string(b), `"error_class":"refused"`)
	assert.Equal(t, time.Duration(0), status.Age)
}

func hexOf(s string) string { return fmt.Sprintf("%x", s) }
