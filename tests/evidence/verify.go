// Verifies an export and the proofs of the ledger with golang.org/x/mod/sumdb, the packages with
// which the go command checks Go's own checksum database. All hashing, proof checking, tile
// authentication and signature checking is theirs; this file only finds and cuts the bytes.
//
//	verify VKEY export DIR
//	verify VKEY inclusion FILE
//	verify VKEY consistency FILE
package main

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const (
	tileHeight = 8
	tileWidth  = 1 << tileHeight
)

func main() {
	if len(os.Args) != 4 {
		fmt.Fprintln(os.Stderr, "usage: verify VKEY export|inclusion|consistency PATH")
		os.Exit(2)
	}
	verifier, err := note.NewVerifier(os.Args[1])
	if err == nil {
		err = verify(verifier, os.Args[2], os.Args[3])
	}
	if err != nil {
		fmt.Println("rejected:", err)
		os.Exit(1)
	}
	fmt.Println("accepted")
}

func verify(verifier note.Verifier, what, path string) error {
	switch what {
	case "export":
		return verifyExport(verifier, path)
	case "inclusion":
		return verifyInclusion(verifier, path)
	case "consistency":
		return verifyConsistency(verifier, path)
	}
	return errors.New("no such thing to verify: " + what)
}

// openCheckpoint checks the signature and gives the tree. ParseTree wants the first line of Go's
// own log, so the origin, once it is checked, makes room for it.
func openCheckpoint(verifier note.Verifier, data []byte) (tlog.Tree, error) {
	opened, err := note.Open(data, note.VerifierList(verifier))
	if err != nil {
		return tlog.Tree{}, err
	}
	rest := strings.TrimPrefix(opened.Text, verifier.Name()+"\n")
	if rest == opened.Text {
		return tlog.Tree{}, errors.New("the checkpoint is of another log")
	}
	return tlog.ParseTree([]byte("go.sum database tree\n" + rest))
}

// tiles reads the tiles of a folder as C2SP tlog-tiles names them.
type tiles struct{ folder string }

func (t tiles) Height() int { return tileHeight }

func (t tiles) ReadTiles(wanted []tlog.Tile) ([][]byte, error) {
	var read [][]byte
	for _, tile := range wanted {
		data, err := os.ReadFile(t.path(tile))
		if err != nil {
			return nil, err
		}
		read = append(read, data)
	}
	return read, nil
}

func (t tiles) SaveTiles([]tlog.Tile, [][]byte) {}

func (t tiles) path(tile tlog.Tile) string {
	prefix := fmt.Sprintf("tile/%d/", tileHeight)
	path := "tile/" + strings.TrimPrefix(tile.Path(), prefix)
	return filepath.Join(t.folder, strings.Replace(path, "tile/data/", "tile/entries/", 1))
}

func verifyExport(verifier note.Verifier, folder string) error {
	data, err := os.ReadFile(filepath.Join(folder, "checkpoint"))
	if err != nil {
		return err
	}
	tree, err := openCheckpoint(verifier, data)
	if err != nil {
		return err
	}
	reader := tlog.TileHashReader(tree, tiles{folder})
	if root, err := tlog.TreeHash(tree.N, reader); err != nil || root != tree.Hash {
		return fmt.Errorf("the tiles do not have the root: %v", err)
	}
	for first := int64(0); first < tree.N; first += tileWidth {
		width := tree.N - first
		if width > tileWidth {
			width = tileWidth
		}
		if err := verifyBundle(reader, folder, first, width); err != nil {
			return err
		}
	}
	return nil
}

func verifyBundle(reader tlog.HashReader, folder string, first, width int64) error {
	tile := tlog.Tile{H: tileHeight, L: -1, N: first / tileWidth, W: int(width)}
	data, err := os.ReadFile(tiles{folder}.path(tile))
	if err != nil {
		return err
	}
	indexes := make([]int64, width)
	for place := range indexes {
		indexes[place] = tlog.StoredHashIndex(0, first+int64(place))
	}
	hashes, err := reader.ReadHashes(indexes)
	if err != nil {
		return err
	}
	for place, wanted := range hashes {
		if len(data) < 2 || len(data)-2 < int(binary.BigEndian.Uint16(data)) {
			return fmt.Errorf("bundle %d ends too early", tile.N)
		}
		end := 2 + int(binary.BigEndian.Uint16(data))
		if tlog.RecordHash(data[2:end]) != wanted {
			return fmt.Errorf("entry %d does not have its hash", first+int64(place)+1)
		}
		data = data[end:]
	}
	if len(data) != 0 {
		return fmt.Errorf("bundle %d goes on after its entries", tile.N)
	}
	return nil
}

// verifyInclusion reads a c2sp.org/tlog-proof@v1 file whose extra line is the entry.
func verifyInclusion(verifier note.Verifier, path string) error {
	head, checkpoint, err := cut(path)
	if err != nil {
		return err
	}
	if len(head) < 3 || head[0] != "c2sp.org/tlog-proof@v1" {
		return errors.New("not an inclusion proof")
	}
	entry, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(head[1], "extra "))
	if err != nil {
		return err
	}
	index, err := strconv.ParseInt(strings.TrimPrefix(head[2], "index "), 10, 64)
	if err != nil {
		return err
	}
	tree, err := openCheckpoint(verifier, []byte(checkpoint))
	if err != nil {
		return err
	}
	hashes, err := parseHashes(head[3:])
	if err != nil {
		return err
	}
	return tlog.CheckRecord(hashes, tree.N, tree.Hash, index, tlog.RecordHash(entry))
}

// verifyConsistency reads the ledger's own file: hashes, earlier checkpoint, later checkpoint.
func verifyConsistency(verifier note.Verifier, path string) error {
	head, rest, err := cut(path)
	if err != nil {
		return err
	}
	parts := strings.Split(rest, "\n\n")
	if len(parts) != 4 {
		return errors.New("not two checkpoints")
	}
	first, err := openCheckpoint(verifier, []byte(parts[0]+"\n\n"+parts[1]+"\n"))
	if err != nil {
		return err
	}
	second, err := openCheckpoint(verifier, []byte(parts[2]+"\n\n"+parts[3]))
	if err != nil {
		return err
	}
	hashes, err := parseHashes(head[1:])
	if err != nil {
		return err
	}
	return tlog.CheckTree(hashes, second.N, second.Hash, first.N, first.Hash)
}

func cut(path string) (head []string, rest string, err error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, "", err
	}
	before, after, found := strings.Cut(string(data), "\n\n")
	if !found {
		return nil, "", errors.New("no checkpoint")
	}
	return strings.Split(before, "\n"), after, nil
}

func parseHashes(lines []string) ([]tlog.Hash, error) {
	var hashes []tlog.Hash
	for _, line := range lines {
		hash, err := tlog.ParseHash(line)
		if err != nil {
			return nil, err
		}
		hashes = append(hashes, hash)
	}
	return hashes, nil
}
