//! sRGB, linear light and CIE Lab.
