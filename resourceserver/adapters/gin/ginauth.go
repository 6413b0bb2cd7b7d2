// Package ginauth protects the routes of a gin engine with a [resourceserver.Authenticator] and its rules.
//
//	engine.Use(ginauth.Require(auth)) // what nobody routed is refused to strangers too
//	engine.POST("/api/messages/archive", ginauth.Require(auth, resourceserver.Role("ADMIN")), archive)
//
// Handlers find the caller with [resourceserver.PrincipalFrom] and the context of the request: PrincipalFrom(c.Request.Context()).
package ginauth

import (
	"net/http"
	"slices"

	"github.com/gin-gonic/gin"

	"github.com/svcauth/svcauth/resourceserver"
)

// Require is [resourceserver.Authenticator.Require] for gin: it lets a request through if its bearer token is valid and all rules hold; without rules, any valid
// token will do. A request that is refused is answered and aborted. Nested Requires verify a token once.
//
// Rules find gin's path parameters with [http.Request.PathValue], for a catch-all with gin's slash at the front. It panics where the middleware does.
func Require(auth *resourceserver.Authenticator, rules ...resourceserver.Rule) gin.HandlerFunc {
	return handler(auth.Require(rules...))
}

// Optional is [resourceserver.Authenticator.Optional] for gin: a request without a bearer credential passes and has no principal, one with a bad token is refused.
func Optional(auth *resourceserver.Authenticator) gin.HandlerFunc {
	return handler(auth.Optional())
}

// handler runs middleware as one of gin's handlers. The rest of gin's chain stands for the handler that middleware protects.
func handler(middleware func(http.Handler) http.Handler) gin.HandlerFunc {
	return func(c *gin.Context) {
		for _, param := range slices.Backward(c.Params) { // of two with one name gin's Param gives the first, so the first is written last
			c.Request.SetPathValue(param.Key, param.Value)
		}
		passed := false
		defer func() {
			if !passed { // also if a rule or callback panics: a recovery further out may go on with the chain
				c.Abort()
			}
		}()
		middleware(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			passed, c.Request = true, r
		})).ServeHTTP(c.Writer, c.Request)
	}
}
