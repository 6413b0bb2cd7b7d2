package jose

import (
	"crypto/ed25519"
	"encoding/hex"
	"slices"
)

// smallOrders are the y coordinates of the eight points of edwards25519 whose order divides its cofactor (RFC 8032 §5.1), encoded as in §5.1.2 but without the
// sign of x. The last two are 0 and 1 once more, written beyond the field's prime, which crypto/ed25519 takes.
var smallOrders = []string{
	"0100000000000000000000000000000000000000000000000000000000000000", // order 1
	"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", // order 2
	"0000000000000000000000000000000000000000000000000000000000000000", // order 4
	"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05", // order 8
	"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a", // order 8
	"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
}

// smallOrder reports whether one signature holds for every eighth message at least, whoever made it. A key of zeros is such a key.
func smallOrder(key ed25519.PublicKey) bool {
	y := slices.Clone(key)
	y[len(y)-1] &= 0x7f
	return slices.Contains(smallOrders, hex.EncodeToString(y))
}
