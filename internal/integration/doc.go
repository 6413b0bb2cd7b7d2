// Package integration drives the example programs, as built binaries, against two issuers: the embedded realm of keycloaktest, and a real Keycloak. The same
// tests run on both, and what the two answer is compared.
//
//	export KEYCLOAK_HOME=$(../../.ci/keycloak) CHROMIUM=$(../../.ci/chromium)
//	go test ./...
//
// The real Keycloak is started once, from a copy of KEYCLOAK_HOME with data of its own, and is stopped at the end. All traffic goes to loopback addresses.
// An older Keycloak does too, with -skip TestEmbedded: the embedded realm answers as the newest one.
//
// Keycloak serves https, too, where it asks for client certificates. KEYCLOAK_HOME built with https-client-auth=request makes the start shorter by half a minute.
//
// In a headless Chromium people sign in at messages-webapp, post and archive. Each state of its pages is kept as a picture in the folder that ARTIFACTS names, an
// absolute path; without it, the pictures go with the tests.
//
// With SVCAUTH_LONG=1 outages last a minute instead of fifteen seconds, tokens are waited for until they are refused, and the soak goes on for another minute, with
// a restart of Keycloak in it.
package integration
