"""What ``runner doctor`` looks at, one function a check: each looks, changes nothing, and returns what it found."""
