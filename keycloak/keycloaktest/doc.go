// Package keycloaktest is an embedded Keycloak realm in the shape of net/http/httptest, for tests and examples only: it keeps secrets and passwords in the clear
// and listens on loopback addresses alone. It gives the statuses, headers and bodies of Keycloak 26.7 for what it serves, makes tokens of any kind in one call, and
// breaks on demand. One line starts it, and it stops at the test's end:
//
//	realm := keycloaktest.New(t, keycloaktest.Config{})
//
// The realm is a small ready-made one ([Config] lists what is in it), a few lines of Go (Config.Clients and Config.Users), or the JSON that Keycloak exports and
// imports (Config.RealmFile and Config.RealmJSON). Without a test at hand [NewServer] and [Start] are as in httptest.
//
// # Test a handler
//
// [Server.ServerConfig] configures a resource server that trusts the realm, and [Server.Token] makes the tokens that its callers would have, without a login and
// without a request. A field changes what a field is for; Claims and Header change anything else:
//
//	realm.Token(keycloaktest.Token{User: "alice"})                                        // of a person, as after a login
//	realm.Token(keycloaktest.Token{Client: "job"})                                        // of a service's own
//	realm.Token(keycloaktest.Token{User: "alice", Roles: []string{"ROLE_USER"}})          // with other roles; []string{} for none
//	realm.Token(keycloaktest.Token{User: "alice", Audience: []string{"account"}})         // for somebody else
//	realm.Token(keycloaktest.Token{User: "alice", Lifetime: -time.Hour})                  // expired
//	realm.Token(keycloaktest.Token{Claims: map[string]any{"iss": "https://elsewhere.example"}})
//	realm.Token(keycloaktest.Token{Claims: map[string]any{"nbf": time.Now().Add(time.Hour).Unix()}})
//	realm.Token(keycloaktest.Token{Claims: map[string]any{"realm_access": nil}})          // removed
//	realm.Token(keycloaktest.Token{Claims: map[string]any{"realm_access": "ROLE_ADMIN"}}) // mistyped
//	realm.Token(keycloaktest.Token{User: "alice", Type: "ID"})                            // or "Refresh"
//	realm.Token(keycloaktest.Token{User: "alice", Lightweight: true})                     // as Keycloak's lightweight access tokens
//	realm.Token(keycloaktest.Token{Algorithm: "ES256"})                                   // or PS256, EdDSA, …; "none" for no signature
//	realm.Token(keycloaktest.Token{Forged: true})                                         // the realm's key ID, another key
//	realm.Token(keycloaktest.Token{Header: map[string]any{"kid": "unknown"}})
//
// [Server.BadTokens] has them ready: a test that ranges over them shows that a service refuses each. The page is the example Handler.
//
// # Test a client
//
// [Server.ClientConfig] configures a service that fetches tokens. What the issuer saw tells whether it behaves: [Server.Requests] counts requests by endpoint, so
// "one token request for a thousand calls" and "keys fetched once" are one assertion each; [Server.Grants] and [Server.Refusals] count what became of a client's
// token requests, and [Server.LastTokenRequest] is the form of the last one, without its secrets. [Server.SetTokenLifetime] makes tokens that expire soon. The page
// is the example Client.
//
// # Test an outage
//
// [Server.SetDown] takes the issuer away. [Server.SetTrouble] gives one endpoint, or all, any other trouble, for good or for some requests:
//
//	realm.SetTrouble(keycloaktest.TokenEndpoint, keycloaktest.RateLimited(30*time.Second).Times(1))
//	realm.SetTrouble(keycloaktest.JWKSEndpoint, keycloaktest.OddKeys())
//	realm.SetTrouble(keycloaktest.AllEndpoints, keycloaktest.Hanging())
//	realm.SetTrouble(keycloaktest.AllEndpoints) // all is well
//
// No answer in time: [Slow], [Hanging], [Stalled]. No whole answer: [Dropped], [Truncated]. Another answer: [Status], [RateLimited], [HTML], [Oversized],
// [Redirected], [WrongIssuer], [OddKeys], [NoKeys], and with [Replaced] whatever the test writes. The issuer also changes while services run: [Server.RotateKeys],
// [Server.SetSecret] and [Server.RotateSecret], [Server.SetClientEnabled], [Server.SetNotBefore], [Server.EndSessions], [Server.SetClockSkew]. The page is the
// example Outage.
//
// # Hours in a moment
//
// With Config.InMemory there is no network, so a test can live in a bubble of testing/synctest, where waiting takes no time:
//
//	synctest.Test(t, func(t *testing.T) {
//		realm := keycloaktest.New(t, keycloaktest.Config{InMemory: true})
//		source, err := clientcreds.New(realm.ClientConfig("job"))
//		…
//		realm.SetTrouble(keycloaktest.TokenEndpoint, keycloaktest.Slow(3*time.Second))
//		time.Sleep(24 * time.Hour)
//		…
//	})
//
// Tokens have the bubble's time, and delays take it. A handler's own HTTP client reaches the realm by [Server.Transport].
//
// # What is served
//
// It has the discovery documents, the key set, the token endpoint with the grants client_credentials, authorization_code and refresh_token, and what a browser
// needs to sign in and out: the authorization endpoint with a login page, single sign-on, userinfo and RP-initiated logout. What it doesn't have it doesn't
// advertise.
//
// It differs from Keycloak where people sign in: nobody is asked to complete a profile or to consent, the refresh token of scope offline_access ends with the
// session, a login page that has expired is not started anew, and cookies are SameSite=Lax without Secure, so that cookie jars send them over http. The key set has
// keys for the algorithms in use, where Keycloak always has one for RS256 too.
package keycloaktest
