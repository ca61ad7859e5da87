# PyScript hands a message of the page to `xworker.onmessage`, and looks for that name here, in the script's globals.
from midstream.engine.browser.main import main
from polyscript import xworker

main(xworker)
