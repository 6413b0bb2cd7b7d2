package benchmarks

import (
	"encoding/json"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"time"
)

// The service that the tokens are for, the realm that issues them and the role that they carry.
const (
	audience  = "messages-service"
	realm     = "sivalabs"
	adminRole = "ADMIN_JOB"
)

// Claims are those of an access token as Keycloak makes them for a service account, about 1 kB.
type Claims struct {
	Expiry            int64             `json:"exp"`
	IssuedAt          int64             `json:"iat"`
	ID                string            `json:"jti"`
	Issuer            string            `json:"iss"`
	Audience          []string          `json:"aud"`
	Subject           string            `json:"sub"`
	Kind              string            `json:"typ"`
	AuthorizedParty   string            `json:"azp"`
	Context           string            `json:"acr"`
	AllowedOrigins    []string          `json:"allowed-origins"`
	RealmAccess       access            `json:"realm_access"`
	ResourceAccess    map[string]access `json:"resource_access"`
	Scope             string            `json:"scope"`
	EmailVerified     bool              `json:"email_verified"`
	ClientHost        string            `json:"clientHost"`
	ClientAddress     string            `json:"clientAddress"`
	ClientID          string            `json:"client_id"`
	PreferredUsername string            `json:"preferred_username"`
}

// access is how Keycloak lists the roles of the realm, and those of each client.
type access struct {
	Roles []string `json:"roles"`
}

// newClaims are good claims. number makes them another token's, and another account's.
func newClaims(issuer string, number int) Claims {
	now := time.Now()
	return Claims{
		Expiry: now.Add(time.Hour).Unix(), IssuedAt: now.Unix(), ID: fmt.Sprintf("trrtcc:%08x-b3ad-4a6c-9a57-3c6a2b1f6f5a", number),
		Issuer: issuer, Audience: []string{audience, "account"}, Subject: fmt.Sprintf("%08x-5d5f-4b62-9d0d-1a7c0c9f3b55", number),
		Kind: "Bearer", AuthorizedParty: "archival-service", Context: "1", AllowedOrigins: []string{"http://localhost:8282", "https://archival.example.com"},
		RealmAccess: access{[]string{"default-roles-sivalabs", "offline_access", "ROLE_" + adminRole, "uma_authorization"}},
		ResourceAccess: map[string]access{
			"messages-service": {[]string{"reader", "writer", "archivist"}}, "reports-service": {[]string{"reader"}},
			"billing-service": {[]string{"reader", "auditor"}}, "account": {[]string{"manage-account", "manage-account-links", "view-profile"}},
		},
		Scope: "openid profile email messages:read messages:write", EmailVerified: true, ClientHost: "10.42.17.23", ClientAddress: "10.42.17.23",
		ClientID: "archival-service", PreferredUsername: fmt.Sprintf("service-account-archival-service-%d", number),
	}
}

// large gives c as many roles as people have in companies with many groups, so that an RS256 token has 6 kB.
func (c Claims) large() Claims {
	many := make([]string, 0, 70)
	for n := range cap(many) {
		many = append(many, fmt.Sprintf("department-%02d:project-archive:maintainer", n))
	}
	c.ResourceAccess = map[string]access{"messages-service": {many}}
	return c
}

// Mint signs claims with the issuer's key for algorithm (RFC 7515 §7.1).
func (i *Issuer) Mint(algorithm string, c Claims) (string, error) {
	key, err := i.key(algorithm)
	if err != nil {
		return "", err
	}
	payload, err := json.Marshal(c)
	if err != nil {
		return "", err
	}
	var token strings.Builder
	token.WriteString(base64url([]byte(`{"alg":"` + algorithm + `","typ" : "JWT","kid" : "` + key.id + `"}`))) // with Keycloak's blanks
	token.WriteByte('.')
	token.WriteString(base64url(payload))
	signature, err := key.sign(token.String())
	if err != nil {
		return "", err
	}
	token.WriteByte('.')
	token.WriteString(base64url(signature))
	return token.String(), nil
}

// mintMany signs the tokens of the accounts 0 to count-1, on all cores.
func (i *Issuer) mintMany(algorithm string, count int, claims func(number int) Claims) ([]string, error) {
	tokens := make([]string, count)
	workers := runtime.GOMAXPROCS(0)
	errs := make([]error, workers)
	var done sync.WaitGroup
	for worker := range workers {
		done.Go(func() {
			for n := worker; n < count && errs[worker] == nil; n += workers {
				tokens[n], errs[worker] = i.Mint(algorithm, claims(n))
			}
		})
	}
	done.Wait()
	for _, err := range errs {
		if err != nil {
			return nil, err
		}
	}
	return tokens, nil
}
