// Package chiauth shows that chi needs no adapter: [resourceserver.Authenticator.Require] is middleware as chi takes it. There is nothing in it to import. Its
// example and tests hold what chi's users can count on:
//
//   - Use on the whole router comes before routing, and so before chi's 404 and 405: strangers get 401 for every path. With, Group and Route come after it.
//   - Rules find chi's path parameters with [net/http.Request.PathValue] in With, Group and Route, not in a Use of the whole router, where chi knows none yet.
//     [github.com/go-chi/chi/v5.URLParam] with the rule's request gives the same.
//   - Where a path has escapes that it need not have, or %2F, chi's value is what stands in the URL, not decoded, unlike that of net/http: /users/%61lice is not
//     alice's. A rule should hold for values that are equal, never for those that differ.
//   - Nested Requires verify a token once.
package chiauth

import (
	_ "net/http" // for the links above

	_ "github.com/go-chi/chi/v5"

	_ "github.com/svcauth/svcauth/resourceserver"
)
