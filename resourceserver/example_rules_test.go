package resourceserver_test

import (
	"fmt"

	"github.com/svcauth/svcauth/resourceserver"
)

// Rules say in words what they ask for.
func ExampleRole() {
	rule := resourceserver.Role("ADMIN")
	fmt.Println(rule)
	fmt.Println(rule.Check(nil, &resourceserver.Principal{Roles: []string{"ADMIN"}}))
	fmt.Println(rule.Check(nil, &resourceserver.Principal{Roles: []string{"ADMINISTRATOR"}}))
	// Output:
	// role ADMIN
	// <nil>
	// resourceserver: the request requires higher privileges than provided by the access token (missing_role)
}

// A list that turned out empty must not let everybody in: it panics where the route is built.
func ExampleAnyRole() {
	rule := resourceserver.AnyRole("ADMIN", "ADMIN_JOB")
	fmt.Println(rule.Check(nil, &resourceserver.Principal{Roles: []string{"ADMIN_JOB"}}))

	defer func() { fmt.Println(recover()) }()
	var configured []string
	resourceserver.AnyRole(configured...)
	// Output:
	// <nil>
	// resourceserver: a role rule without roles: name at least one, or use Require() for any valid token
}

// A scope is what the client was allowed to do, whatever its user may.
func ExampleScope() {
	rule := resourceserver.Scope("messages:read")
	fmt.Println(rule.Check(nil, &resourceserver.Principal{Scopes: []string{"messages:read", "profile"}}))
	fmt.Println(rule.Check(nil, &resourceserver.Principal{Scopes: []string{"messages"}}))
	// Output:
	// <nil>
	// resourceserver: the request requires higher privileges than provided by the access token (missing_scope)
}

// Administrators, and the job that does their work at night.
func ExampleAny() {
	rule := resourceserver.Any(
		resourceserver.Role("ADMIN"),
		resourceserver.All(resourceserver.ServiceAccount(), resourceserver.Client("archival-service")),
	)
	fmt.Println(rule)
	fmt.Println(rule.Check(nil, &resourceserver.Principal{Roles: []string{"ADMIN"}}) == nil)
	fmt.Println(rule.Check(nil, &resourceserver.Principal{ClientID: "archival-service"}) == nil) // a person may be signed in there
	// Output:
	// any of (role ADMIN; all of (service account; client archival-service))
	// true
	// false
}

// A rule of several, under one name in a program.
func ExampleAll() {
	mayPublish := resourceserver.All(resourceserver.Role("EDITOR"), resourceserver.Scope("articles:write"))
	fmt.Println(mayPublish)
	fmt.Println(mayPublish.Check(nil, &resourceserver.Principal{Roles: []string{"EDITOR"}, Scopes: []string{"articles:write"}}))
	fmt.Println(mayPublish.Check(nil, &resourceserver.Principal{Roles: []string{"EDITOR"}}))
	// Output:
	// all of (role EDITOR; scope articles:write)
	// <nil>
	// resourceserver: the request requires higher privileges than provided by the access token (missing_scope)
}
