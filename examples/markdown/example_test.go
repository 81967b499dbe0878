package markdown_test

import (
	"fmt"

	"example.com/markdown"
)

func Example() {
	const source = `## To do

| what | done |
| ---- | ---- |
| read | ~~yes~~ |
`
	fmt.Print(markdown.ToHTML(source, markdown.Options{Tables: true, Strikethrough: true}))
	// Output:
	// <h2>To do</h2>
	// <table>
	// <thead>
	// <tr>
	// <th>what</th>
	// <th>done</th>
	// </tr>
	// </thead>
	// <tbody>
	// <tr>
	// <td>read</td>
	// <td><del>yes</del></td>
	// </tr>
	// </tbody>
	// </table>
}

func ExampleFormat() {
	fmt.Print(markdown.Format("Title\n=====\nSome *words*\nin  two lines.", markdown.Options{}, 80))
	// Output:
	// # Title
	//
	// Some *words* in two lines.
}
